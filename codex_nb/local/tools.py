"""What a request may say of tools and images, checked before any answer begins."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.local import schemas
from codex_nb.local.checks import Refusal, error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codex_nb.local.ask import Ask
    from codex_nb.local.pieces import Json

CHOICES: Final = ("none", "auto", "required")
NAMED: Final = ("function", "custom")
NOT_AN_IMAGE: Final = "The image data you provided does not represent a valid image. Please check your input."
MAGIC: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")


def refusal(ask: Ask, rows: Sequence[Json]) -> Refusal | None:
    """Return what is wrong with a request's schema, tools or images, None when nothing is."""
    return next(_refusals(ask, rows), None)


def _refusals(ask: Ask, rows: Sequence[Json]) -> Iterator[Refusal]:
    yield from _format(ask)
    yield from _tools(ask)
    yield from _choice(ask)
    yield from _images(ask, rows)


def _format(ask: Ask) -> Iterator[Refusal]:
    text = ask.body.get("text")
    form: Any = cast("Json", text).get("format") if isinstance(text, dict) else None
    if not isinstance(form, dict):
        return
    fields = cast("Json", form)
    if fields.get("type") not in {"text", "json_object", "json_schema"}:
        yield error(f"Invalid value: '{fields.get('type')}'.", "text.format.type", "invalid_value")
    if fields.get("type") != "json_schema":
        return
    for name in ("name", "schema"):
        if name not in fields:
            where = f"text.format.{name}"
            yield error(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
            return
    wrong = schemas.objection(fields["schema"]) if fields.get("strict") is True else ""
    if wrong:
        said = f"Invalid schema for response_format '{fields['name']}': {wrong}"
        yield error(said, "text.format.schema", "invalid_json_schema")


def _tools(ask: Ask) -> Iterator[Refusal]:
    for at, tool in enumerate(ask.tools):
        if "type" not in tool:
            yield error(
                f"Missing required parameter: 'tools[{at}].type'.", f"tools[{at}].type", "missing_required_parameter"
            )
        if tool.get("type") in NAMED and not isinstance(tool.get("name"), str):
            where = f"tools[{at}].name"
            yield error(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
        if tool.get("type") == "function" and tool.get("strict") is True:
            wrong = schemas.objection(tool.get("parameters"))
            said = f"Invalid schema for function '{tool.get('name')}': {wrong}"
            if wrong:
                yield error(said, f"tools[{at}].parameters", "invalid_function_parameters")


def _choice(ask: Ask) -> Iterator[Refusal]:
    choice = ask.body.get("tool_choice")
    if choice is None or (isinstance(choice, str) and choice in CHOICES[:2]):
        return
    if choice == "required":
        if not ask.tools:
            yield error("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
    elif not isinstance(choice, dict):
        supported = ", ".join(f"'{each}'" for each in CHOICES)
        yield error(f"Invalid value: '{choice}'. Supported values are: {supported}.", "tool_choice", "invalid_value")
    elif cast("Json", choice).get("type") in NAMED and chosen_tool(ask) is None:
        name = cast("Json", choice).get("name")
        yield error(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")


def chosen_tool(ask: Ask) -> Json | None:
    """Return the function or custom tool that must be called, None when the model may choose."""
    choice = ask.body.get("tool_choice")
    tools = [tool for tool in ask.tools if tool.get("type") in NAMED]
    if choice == "required":
        return next(iter(tools), None)
    wanted = cast("Json", choice) if isinstance(choice, dict) else {}
    same = (tool for tool in tools if (tool["type"], tool.get("name")) == (wanted.get("type"), wanted.get("name")))
    return next(same, None)


def _images(ask: Ask, rows: Sequence[Json]) -> Iterator[Refusal]:
    takes = next((row.get("input_modalities") for row in rows if row.get("slug") == ask.model), None) or ()
    for at, item in enumerate(ask.items):
        for part in _parts(item):
            if part.get("type") != "input_image":
                continue
            if "image" not in takes:
                said = f"The model '{ask.model}' does not support image inputs."
                yield error(said, f"input[{at}].content", "unsupported_value")
            url = part.get("image_url")
            if "file_id" not in part and not _is_image(url):
                yield error(NOT_AN_IMAGE, f"input[{at}].content", "invalid_image_url")


def _parts(item: Json) -> list[Json]:
    content = item.get("content", item.get("output"))
    listed = cast("list[Any]", content) if isinstance(content, list) else []
    return [cast("Json", part) for part in listed if isinstance(part, dict)]


def _is_image(url: Any) -> bool:
    """Whether an address may be an image: one on the web is believed, one with the data in it is looked at."""
    if not isinstance(url, str):
        return False
    if not url.startswith("data:"):
        return url.startswith(("https://", "http://"))
    head, _, data = url.partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        return False
    try:
        return base64.b64decode(data, validate=True).startswith(MAGIC)
    except (ValueError, binascii.Error):
        return False
