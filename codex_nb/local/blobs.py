"""What a client carries for the backend without being able to read it: ``encrypted_content``."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json

PREFIX: Final = "gAAAAABlocal-"
# Signed, so that a client which changes a blob is found out; there is nothing secret in it. The key is the same in
# every process, so that a conversation outlives the backend.
KEY: Final = b"codex_nb.local"
SIGNATURE_BYTES: Final = 16


class Blobs:
    """Makes and reads blobs. ``strict`` refuses those of other backends too, not only changed ones."""

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict

    def seal(self, content: Json) -> str:
        """Return a blob of this content."""
        packed = zlib.compress(json.dumps(content).encode())
        return PREFIX + base64.urlsafe_b64encode(_signature(packed) + packed).decode()

    def open(self, blob: str) -> Json | None:
        """Return the content of a blob that was made here, None of any other."""
        if not blob.startswith(PREFIX):
            return None
        try:
            data = base64.b64decode(blob.removeprefix(PREFIX), b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        signature, packed = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(packed)):
            return None
        return cast("Json", json.loads(zlib.decompress(packed)))

    def accepts(self, blob: Any) -> bool:
        """Whether a client may send this back."""
        if not isinstance(blob, str):
            return False
        return self.open(blob) is not None or not (self.strict or blob.startswith(PREFIX))


def _signature(packed: bytes) -> bytes:
    return hmac.new(KEY, packed, hashlib.sha256).digest()[:SIGNATURE_BYTES]
