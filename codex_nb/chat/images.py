"""Pictures for a model: whatever shows one, as an address or as data of a bounded size."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from codex_nb.chat.describe.arrays import is_array
from codex_nb.errors import CodexError, FileError, InvalidOption

__all__ = ["image_url", "is_image"]

# What the model looks at has no more pixels on its longer side; what is larger is made smaller here.
LONGEST_SIDE: Final = 2048
# Of one picture, before it is base64.
MOST_BYTES: Final = 8 * 1024 * 1024
NEEDS_PILLOW: Final = 'Install Pillow for it: pip install "codex-nb[images]".'
KINDS: Final = "Pass a path, an address, bytes, a PIL image, a matplotlib or altair figure, or an array of pixels."
# First bytes -> what they are, of the kinds that the service takes as they are.
MAGIC: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"\xff\xd8\xff"), "jpeg"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
)
ADDRESS: Final = re.compile(r"https?://\S+", re.IGNORECASE)
DATA: Final = re.compile(r"data:image/[\w.+-]+;base64,(?P<content>[A-Za-z0-9+/=\s]+)", re.IGNORECASE)


def is_image(value: Any) -> bool:
    """Whether ``value`` is an object that is a picture: a figure, a chart, a PIL image."""
    return not isinstance(value, str | bytes | type) and _maker(value) is not None


def image_url(value: Any, name: str = "the image") -> str:
    """Return what ``input_image`` takes for ``value``: an http address as it is, all else as a ``data:`` address.

    What has more than 2048 pixels on a side or a kind that the service does not know is made into what it takes, by
    Pillow; so is a photo, to leave out where and when it was taken.

    Raises:
        FileError: the file is not there, or no picture.
        InvalidOption: it is no picture, or too large without Pillow.

    """
    if isinstance(value, str) and ADDRESS.fullmatch(value):
        return value
    try:
        content = _content(value)
        if content is not None:
            return _data(content, str(value) if isinstance(value, Path) else name)
        maker = _of_array if is_array(value) else _maker(value)
        if maker is None and callable(getattr(value, "_repr_png_", None)):
            maker = _own_png
        if maker is not None:
            return _data(maker(value), name)
    except CodexError:
        raise
    except Exception as error:  # objects may do anything, and base64 be none
        raise InvalidOption(f"{name} cannot be made into a picture ({type(error).__name__}).", hint=KINDS) from error
    raise InvalidOption(f"{name} is of type {type(value).__name__}, which is no picture.", hint=KINDS)


def _content(value: Any) -> bytes | None:
    """Return the bytes that ``value`` is, or names."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(cast("bytes", value))
    if isinstance(value, str) and (found := DATA.fullmatch(value)):
        return base64.b64decode(found["content"])
    return _read(Path(value).expanduser()) if isinstance(value, str | Path) else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise FileError(f"{path} {why}.", hint="Check the path.", path=str(path)) from None


def _data(content: bytes, name: str) -> str:
    """Return a picture as a ``data:`` address, made smaller and plain where it needs to be."""
    kind = next((kind for begin, kind in MAGIC if begin.match(content)), None)
    try:
        pillow = import_module("PIL.Image")
    except ImportError:
        if kind is None or len(content) > MOST_BYTES:
            what = "is of a kind that the service does not take" if kind is None else f"has {len(content)} bytes"
            raise InvalidOption(f"{name} {what}.", hint=NEEDS_PILLOW) from None
    else:
        content, kind = _fitting(pillow, content, kind, name)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _fitting(pillow: Any, content: bytes, kind: str | None, name: str) -> tuple[bytes, str]:
    try:
        image = pillow.open(io.BytesIO(content))
        image.load()
    except Exception as error:  # noqa: BLE001 - a decoder of hostile input
        raise FileError(
            f"{name} is no picture that can be read ({type(error).__name__}).", hint=KINDS, path=name
        ) from None
    small = max(image.size) <= LONGEST_SIDE and len(content) <= MOST_BYTES
    if small and kind and not image.getexif():
        return content, kind
    # Photos lie on their side and know where they were taken: turned upright, the notes are gone.
    image = import_module("PIL.ImageOps").exif_transpose(image)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    photo = kind == "jpeg"
    out = io.BytesIO()
    image.convert("RGB" if photo or not _has_alpha(image) else "RGBA").save(
        out, "JPEG" if photo else "PNG", **({"quality": 90} if photo else {})
    )
    return out.getvalue(), "jpeg" if photo else "png"


def _has_alpha(image: Any) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _maker(value: Any) -> Callable[[Any], bytes] | None:
    """Return what makes the bytes of a picture of ``value``; None where it is none."""
    return next((make for knows, make in MAKERS if knows(value)), None)


def _instance_of(module: str, *names: str) -> Callable[[Any], bool]:
    """Return a test for classes of a package, which is not imported for it: who has an object has its package."""

    def test(value: Any) -> bool:
        package = sys.modules.get(module)
        kinds = tuple(kind for name in names if isinstance(kind := getattr(package, name, None), type))
        return bool(kinds) and isinstance(value, kinds)

    return test


def _of_figure(value: Any) -> bytes:
    figure = getattr(value, "figure", None) or value
    width, height = figure.get_size_inches()
    out = io.BytesIO()
    # As inline plots look, and never larger than the model looks at.
    dpi = min(figure.dpi, LONGEST_SIDE / max(width, height, 1))
    figure.savefig(out, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
    return out.getvalue()


def _of_chart(value: Any) -> bytes:
    out = io.BytesIO()
    try:
        value.save(out, format="png")
    except (ImportError, ValueError) as error:
        raise InvalidOption(
            "An altair chart becomes a picture by vl-convert-python, which is missing.",
            hint="Install it with: pip install vl-convert-python. Or send the specification: --with chart.",
        ) from error
    return out.getvalue()


def _of_pil(value: Any) -> bytes:
    out = io.BytesIO()
    image = value if value.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} else value.convert("RGB")
    image.save(out, "PNG")
    return out.getvalue()


def _of_array(value: Any) -> bytes:
    import numpy as np

    array = np.asarray(value)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in {2, 3} or not array.size or (array.ndim == 3 and array.shape[2] not in {3, 4}):
        shape = " x ".join(map(str, array.shape))
        raise InvalidOption(
            f"An array of {shape or 'one value'} is no picture.", hint="It has height x width, and 3 or 4 colours."
        )
    known = array[~np.isnan(array)] if array.dtype.kind == "f" else array
    if not known.size:
        raise InvalidOption("The array holds no value, only NaN.", hint="Check what it was computed from.")
    low, high = known.min(), known.max()
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and low >= 0 and high <= 1):
        array = array.astype(float) * 255
    elif array.dtype.kind not in "uif" or low < 0 or high > 255:
        raise InvalidOption(
            f"The array's values are {low} … {high}, which are no colours.",
            hint="Scale them to 0 … 1 as floats, or 0 … 255; or show them with matplotlib and send the figure.",
        )
    try:
        pillow = import_module("PIL.Image")
    except ImportError:
        raise InvalidOption("An array becomes a picture by Pillow, which is missing.", hint=NEEDS_PILLOW) from None
    return _of_pil(pillow.fromarray(np.nan_to_num(array).round().astype("uint8")))


def _own_png(value: Any) -> bytes:
    found = value._repr_png_()
    content: Any = cast("Any", found[0] if isinstance(found, tuple) else found)
    return base64.b64decode(content) if isinstance(content, str) else content


# The first that knows an object makes the bytes of its picture.
MAKERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], bytes]], ...]] = (
    (_instance_of("matplotlib.figure", "FigureBase"), _of_figure),
    (_instance_of("matplotlib.axes", "Axes"), _of_figure),
    (_instance_of("altair", "TopLevelMixin"), _of_chart),
    (_instance_of("PIL.Image", "Image"), _of_pil),
    (_instance_of("seaborn.axisgrid", "Grid"), _of_figure),
    (_instance_of("IPython.display", "Image"), _own_png),
)
