"""Files that go along with a question: uploaded once, and named in the request; short texts are also quoted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from codex_nb.chat.describe.text import fenced
from codex_nb.client.tape import file_name, present_tape
from codex_nb.errors import FileError, UnsupportedByBackend

if TYPE_CHECKING:
    from codex_nb.client.session import Session

__all__ = ["Attachment", "attachment"]

# A text up to this many bytes is read by the model at once; of a larger file it gets the name.
SHORT: Final = 48 * 1024
PENDING: Final = "sediment://…"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file. ``text`` is what stands in it, where that is a short text; ``uri`` names it once it is uploaded.

    ``digest`` is the SHA-256 of its content: a file that was uploaded in this process already is not sent again.
    """

    path: Path
    size: int
    digest: str
    text: str | None = None
    uri: str | None = None

    def parts(self) -> list[dict[str, Any]]:
        """Return the parts of a message that give it to the model."""
        about = f"File {self.path.name} ({self.size} bytes)"
        if self.text is not None:
            where = f", {self.uri}" if self.uri else ""
            return [{"type": "input_text", "text": f"{about}{where}:\n{fenced(self.text)}"}]
        file = {"type": "input_file", "file_id": self.uri or PENDING}
        return [{"type": "input_text", "text": f"{about}:"}, file]

    def uploaded(self, session: Session) -> Attachment:
        """Upload it, unless that was done, and return it with its ``uri``.

        Raises:
            FileError: it has changed since, or the service cannot take it.
            UnsupportedByBackend: the backend keeps no files, and this is no short text.

        """
        tape = present_tape()
        if tape and tape.replays:
            return self if self.text is not None else replace(self, uri=file_name(self.digest))
        known = _uploaded.setdefault(session, {})
        key = (self.path.name, self.digest)
        if key not in known:
            try:
                known[key] = session.files.upload(self.path).uri
            except UnsupportedByBackend:
                if self.text is None:
                    raise
                return self
        if tape:
            tape.rename(known[key], self.digest)
        return replace(self, uri=known[key])


_uploaded: WeakKeyDictionary[Session, dict[tuple[str, str], str]] = WeakKeyDictionary()


def attachment(path: str | Path) -> Attachment:
    """Look at a file; nothing is sent.

    Raises:
        FileError: it is not there, no file, empty, or cannot be read.

    """
    import hashlib

    path = Path(path).expanduser()
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            content = file.read(SHORT + 1)
    except IsADirectoryError:
        raise FileError(
            f"{path} is a folder.", hint="Send a file; a folder as a zip archive.", path=str(path)
        ) from None
    except OSError as error:
        why = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise FileError(f"{path} {why}.", hint="Check the path.", path=str(path)) from None
    if not size:
        raise FileError(f"{path} is empty.", hint="Write something into it first.", path=str(path))
    return Attachment(path, size, digest, _text(content))


def _text(content: bytes) -> str | None:
    """Return a short text; None for what is long, or none."""
    if len(content) > SHORT or b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
