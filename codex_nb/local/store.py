"""The files that a backend holds: announced, received with a digest, signed for, finished."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import secrets
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import IO, Final, Literal, TypeAlias
from urllib.parse import urlencode

Permission: TypeAlias = Literal["r", "w"]

LARGEST: Final = 536_870_912
LIFETIME: Final = 3600
# Smaller ones need no file of the system's.
CHUNK: Final = 1 << 16
# Below this path no login is asked for, and none may be shown.
SIGNED: Final = "/files/"
NOT_FOUND: Final = "The uploaded blob was not found"


@dataclass(slots=True)
class StoredFile:
    """One file. ``size`` is what was announced, ``received`` and ``sha256`` are of what came; both are 0 before."""

    id: str
    name: str
    size: int
    use_case: str
    mime_type: str
    retries: int
    received: int = 0
    sha256: str = ""
    puts: int = 0
    finished: bool = False
    content: IO[bytes] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def piece(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes of what was uploaded from ``at`` on, fewer at the end."""
        with self._lock:
            if self.content is None:
                return b""
            self.content.seek(at)
            return self.content.read(size)

    def read(self) -> bytes:
        """Return all that was uploaded, empty before."""
        return self.piece(0, -1)


class Incoming:
    """An upload on its way into a temporary file. Nothing of it counts before `Files.receive` has taken it."""

    def __init__(self) -> None:
        # Without a name in any folder: it is gone with the process, however that ends.
        self.content: IO[bytes] = tempfile.SpooledTemporaryFile(CHUNK)  # noqa: SIM115 - it outlives this block
        self.size = 0
        self._digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take a piece of it; what is above the limit is only counted."""
        self.size += len(chunk)
        if self.size <= LARGEST:
            self._digest.update(chunk)
            self.content.write(chunk)

    @property
    def sha256(self) -> str:
        """The digest in hex."""
        return self._digest.hexdigest()


class Files:
    """Every file of one backend, by id. Thread-safe; each setting holds for files that are announced later.

    ``retries`` is how often finishing answers "retry" first; ``error`` is what it then fails with, None for success;
    ``lifetime`` is how long a signed address holds, in seconds.
    """

    def __init__(self) -> None:
        self.retries = 0
        self.error: str | None = None
        self.lifetime = LIFETIME
        # Where signed addresses lead; None means the host that is asked.
        self.address: tuple[str, int] | None = None
        self._lock = threading.Lock()
        self._secret = secrets.token_bytes(32)
        self._files: dict[str, StoredFile] = {}

    def all(self) -> list[StoredFile]:
        """Return the files in the order of their announcement."""
        with self._lock:
            return list(self._files.values())

    def get(self, file_id: str) -> StoredFile | None:
        """Return a file, None for an unknown id."""
        with self._lock:
            return self._files.get(file_id)

    def create(self, name: str, size: int, use_case: str) -> StoredFile:
        """Announce a file."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = StoredFile(f"file_{secrets.token_hex(16)}", name, size, use_case, kind, self.retries)
        with self._lock:
            self._files[file.id] = file
        return file

    def receive(self, file: StoredFile, incoming: Incoming) -> None:
        """Take a whole upload; a second one replaces the first."""
        with self._lock:
            if file.content is not None:
                file.content.close()
            file.content, file.received, file.sha256 = incoming.content, incoming.size, incoming.sha256
            file.puts += 1

    def finish(self, file: StoredFile) -> str:
        """Return "success", "retry" or what went wrong."""
        with self._lock:
            if file.content is None:
                return NOT_FOUND
            if file.retries > 0:
                file.retries -= 1
                return "retry"
            if self.error is not None:
                return self.error
            file.finished = True
            return "success"

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every temporary file."""
        for file in self.all():
            if file.content is not None:
                file.content.close()

    def upload_url(self, file: StoredFile, base: str) -> str:
        """Return the address that takes the bytes; ``base`` is the host that was asked."""
        return self._signed(file, "w", base)

    def download_url(self, file: StoredFile, base: str) -> str:
        """Return the address that gives the bytes back."""
        return self._signed(file, "r", base)

    def _signed(self, file: StoredFile, permission: Permission, base: str) -> str:
        ends = str(int(time.time() + self.lifetime))
        query = {"se": ends, "sp": permission, "sig": self._signature(file.id, ends, permission)}
        origin = "http://{}:{}".format(*self.address) if self.address else base.rstrip("/")
        return f"{origin}{SIGNED}{file.id}/raw?{urlencode(query)}"

    def _signature(self, file_id: str, ends: str, permission: str) -> str:
        return hmac.new(self._secret, f"{file_id} {ends} {permission}".encode(), "sha256").hexdigest()

    def objection(self, file_id: str, query: dict[str, str], permission: Permission) -> str:
        """Return why a signed address does not hold, empty when it does."""
        ends, allowed = query.get("se", ""), query.get("sp", "")
        expected = self._signature(file_id, ends, allowed)
        if not hmac.compare_digest(expected.encode(), query.get("sig", "").encode()):
            return "Signature did not match."
        if float(ends) <= time.time():
            return "Signature not valid in the specified time frame."
        return "" if allowed == permission else "Signature fields do not allow this operation."
