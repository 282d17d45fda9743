"""A file that was uploaded."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from codex_nb.types._base import Shape

__all__ = ["UploadTicket", "UploadedFile"]


class UploadTicket(Shape):
    """What the service says before an upload: the file's id, and the signed address that takes its bytes."""

    file_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")
    upload_url: str = Field(pattern="^https?://", repr=False)


class UploadedFile(Shape):
    """A file that the service keeps. ``uri`` names it in requests; ``size`` is in bytes.

    ``download_url`` is signed: whoever has it can read the file, so it does not show here.
    """

    id: str = Field(validation_alias=AliasChoices("file_id", "id"), serialization_alias="file_id")
    name: str = Field(validation_alias=AliasChoices("file_name", "name"), serialization_alias="file_name")
    size: int = Field(validation_alias=AliasChoices("file_size_bytes", "size"), serialization_alias="file_size_bytes")
    mime_type: str | None = None
    download_url: str = Field(repr=False, min_length=1)

    @property
    def uri(self) -> str:
        """The file's name in requests: ``sediment://…``."""
        return f"sediment://{self.id}"

    @property
    def file_id(self) -> str:
        """The service's own word for ``id``."""
        return self.id

    @property
    def file_name(self) -> str:
        """The service's own word for ``name``."""
        return self.name

    @property
    def file_size_bytes(self) -> int:
        """The service's own word for ``size``."""
        return self.size
