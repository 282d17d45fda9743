"""Files for tools and answers to read (``session.files``)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client._source import Source, Uploadable, open_source
from codex_nb.errors import (
    APIStatusError,
    APITimeoutError,
    FileError,
    InvalidOption,
    MalformedStream,
    PermissionDeniedError,
)
from codex_nb.types.files import UploadedFile, UploadTicket
from codex_nb.wire.call import Address, Blocking, Call, Flow, Pause
from codex_nb.wire.failures import clean
from codex_nb.wire.json import as_object, as_text

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["Files"]

# Between two questions whether the file is ready, and in all.
PAUSE: Final = 0.25
PATIENCE: Final = 30.0
STORAGE_SAYS: Final = re.compile(r"<(?:Message|Code)>([^<]{1,400})")


class Files(Resource[F]):
    """``session.files``."""

    @endpoint
    def upload(
        self,
        path: Uploadable,
        *,
        name: str | None = None,
        use_case: str = "codex",
        on_progress: Callable[[int, int], None] | None = None,
        timeout: float = PATIENCE,
    ) -> Flow[UploadedFile]:
        """Upload a file: a path, bytes, or an open binary file from where it stands. ``.uri`` names it in requests.

        Up to 512 MiB, streamed from the disk. ``name`` is what the service calls it (default: its own name).
        ``on_progress(sent, total)`` is called with bytes, from 0 on for each attempt, on the caller's thread or event
        loop. ``timeout`` is how long the service may take, in seconds, to finish the file once it has all of it.

        Raises:
            FileError: it is not there, no file, empty, too large, changed on the way, or the service cannot take it.
            PermissionDeniedError: the signed address is not accepted, or no more.
            APITimeoutError: the file was not finished in time.
            UnsupportedByBackend: an OpenAI-compatible server keeps no files.

        """
        if timeout < 0:
            raise InvalidOption("timeout must be a number of seconds.", hint=f"Leave it out for {PATIENCE:g}.")
        backend = self._core.settings.backend
        secure = backend.url("account/files").startswith("https:")
        source: Source = yield Blocking(lambda: open_source(path, name))
        try:
            fields = {"file_name": source.name, "file_size": source.size, "use_case": use_case}
            reply: Reply = yield Call("POST", "account/files", json=fields)
            ticket = shaped(UploadTicket, reply.json())
            if secure and not ticket.upload_url.startswith("https:"):
                raise MalformedStream("The service wants the file sent unencrypted.", hint="A proxy may be in the way.")
            yield from _put(source, Address(ticket.upload_url), on_progress)
        finally:
            source.close()
        told = yield from _finish(ticket.file_id, source, timeout)
        known = {"file_name": source.name, "mime_type": source.mime_type}
        known |= {name: value for name, value in told.items() if value not in (None, "")}
        return shaped(UploadedFile, known | {"file_id": ticket.file_id, "file_size_bytes": source.size})


def _put(source: Source, url: Address, on_progress: Callable[[int, int], None] | None) -> Flow[None]:
    """Send the bytes to the signed address, which gets no login."""
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-client-request-id": str(uuid.uuid4())}

    def progress(sent: int) -> None:
        if on_progress:
            on_progress(sent, source.size)

    try:
        yield Call("PUT", url, content=source, headers=headers, signed_in=False, progress=progress)
    except APIStatusError as error:
        raise _storage_error(error) from None


def _storage_error(error: APIStatusError) -> APIStatusError:
    """Return the error of a storage in its own words; it knows no login, so its 401 is not about one."""
    denied = error.status_code in {401, 403}
    facts: dict[str, Any] = {name: value for name, value in vars(error).items() if name not in {"message", "hint"}}
    said = clean(" ".join(STORAGE_SAYS.findall(error.body)))
    kind = PermissionDeniedError if denied else type(error)
    return kind(
        f"The storage refuses the file (HTTP {error.status_code}){': ' + said if said else '.'}",
        hint="Upload it again: the address to upload to holds for a while only." if denied else "Try again.",
        **facts,
    )


def _finish(file_id: str, source: Source, timeout: float) -> Flow[JSONObject]:
    """Tell the service that all is there, and ask until it has the file ready."""
    waited, began = 0.0, None
    while True:
        reply: Reply = yield Call("POST", f"account/files/{file_id}/uploaded", json={})
        told = as_object(reply.json())
        if told.get("status") == "success":
            return told
        if told.get("status") != "retry":
            said = clean(as_text(told.get("error_message")) or "no reason was given")
            raise FileError(f"The service cannot take {source.name}: {said}", hint="Try again.", path=source.path)
        began = reply.at if began is None else began
        if max(waited, reply.at - began) >= timeout:
            raise APITimeoutError(
                f"The service did not finish {source.name} within {timeout:g} seconds.",
                hint="Try again, or allow more with timeout=.",
                url=reply.url,
            )
        yield Pause(PAUSE)
        waited += PAUSE
