"""What stands behind ``--with``, ``--image`` and ``--file``: names of the notebook, and what they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.chat.expand import evaluator
from codex_nb.chat.files import Attachment, attachment
from codex_nb.chat.images import ADDRESS, DATA
from codex_nb.errors import FileError, InvalidOption
from codex_nb.notebook.cells import cell_of, last_figure
from codex_nb.notebook.failed import last_failed
from codex_nb.notebook.names import split_names

if TYPE_CHECKING:
    from codex_nb.chat.context import Named

__all__ = ["Namespace"]

CELL: Final = re.compile(r"cell:\s*(-?\d+)")
# What ends like this, or names a folder, is meant as a path.
PATH: Final = re.compile(r".*/.*|.*\.(?:png|jpe?g|gif|webp|svg|pdf|bmp|tiff?|heic)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Namespace:
    """The names of the notebook, and of the function that asks where one does: those come first.

    ``shell`` is None outside of IPython, where only objects themselves can be given.
    """

    shell: Any
    own: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def names(self) -> Mapping[str, Any]:
        """Every name with its value."""
        return {**self.shell.user_ns, **self.own} if self.shell is not None else self.own

    def objects(self, given: Any) -> list[Named]:
        """Return what ``--with`` or ``with_=`` asks for, each with its name, once.

        ``given`` is a comma list, a list of such texts and of objects, a dict of objects by their names, or an object.

        Raises:
            InvalidOption: a name or a cell that is not there, with those close to it.

        """
        found: dict[str, Any] = {}
        for name, value in self._each(given):
            found.setdefault(name, value)
        return list(found.items())

    def _each(self, given: Any) -> Iterable[Named]:
        if given is None:
            return
        if isinstance(given, str):
            names = split_names(given)
            if not names:
                raise InvalidOption("--with names nothing.", hint="--with sales,total,cell:-1 names three objects.")
            yield from ((name, self.value(name)) for name in names)
        elif isinstance(given, Mapping):
            yield from ((str(name), value) for name, value in cast("Mapping[Any, Any]", given).items())
        elif isinstance(given, list | tuple):
            for each in cast("list[Any]", given):
                yield from self._each(each) if isinstance(each, str) else [(self._name(each), each)]
        else:
            yield self._name(given), given

    def value(self, name: str, option: str = "--with") -> Any:
        """Return what ``name`` stands for: a variable or expression, ``cell:-1``, ``error``, ``fig``."""
        if self.shell is None:
            raise InvalidOption(
                f"There is no notebook that {name!r} could be of.", hint="Pass the object: with_={'sales': sales}."
            )
        if found := CELL.fullmatch(name):
            return cell_of(self.shell, int(found[1]))
        if name not in self.names and name in SPECIAL:
            return SPECIAL[name](self.shell)
        return evaluator(self.names, f"{option} {{}}")(name)

    def _name(self, value: Any) -> str:
        """Return the variable that holds ``value``; where none does, what it calls itself, or its type."""
        held = (name for name, each in self.names.items() if each is value and not name.startswith("_"))
        return next(held, None) or getattr(value, "__name__", None) or type(value).__name__

    def images(self, given: Any) -> list[Named]:
        """Return what ``--image`` or ``image=`` asks for: addresses, paths, and values of variables.

        Raises:
            InvalidOption: a text that is neither an address, nor a file, nor an expression.

        """
        many = cast("list[Any]", given) if isinstance(given, list | tuple) else [given]
        return [self._image(each) for each in many if each is not None]

    def _image(self, given: Any) -> Named:
        if isinstance(given, Path):
            return given.name, given
        if not isinstance(given, str):
            return self._name(given), given
        if _is_address(given):
            return given[:80], given
        if self.shell is not None and given in self.names:
            return _held(given, self.value(given))
        path = Path(given).expanduser()
        if path.is_file():
            return path.name, path
        if self.shell is None or PATH.fullmatch(given):
            raise FileError(f"{given} is not there.", hint="Check the path, or name a variable.", path=given)
        return _held(given, self.value(given, "--image"))

    def files(self, given: Any) -> list[Attachment]:
        """Return what ``--file`` or ``file=`` asks for: paths, or variables that hold one.

        Raises:
            FileError: a file that is not there, or cannot be read.

        """
        many = cast("list[Any]", given) if isinstance(given, list | tuple) else [given]
        return [attachment(self._path(each)) for each in many if each is not None]

    def _path(self, given: Any) -> Any:
        if isinstance(given, str) and self.shell is not None and not Path(given).expanduser().exists():
            held = self.names.get(given)
            return held if isinstance(held, str | Path) else given
        return given


def _is_address(text: str) -> bool:
    return (ADDRESS.fullmatch(text) or DATA.fullmatch(text)) is not None


def _held(name: str, value: Any) -> Named:
    """Return a variable's value; a text in it is a path or an address again."""
    return name, Path(value) if isinstance(value, str) and not _is_address(value) else value


def _last_error(shell: Any) -> BaseException:
    found = last_failed(shell)
    if found is None:
        raise InvalidOption("No cell has failed.", hint="--with error sends the last exception.")
    return found.error


SPECIAL: Final[Mapping[str, Callable[[Any], Any]]] = {"error": _last_error, "fig": last_figure}
