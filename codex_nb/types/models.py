"""What models there are and what each can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import AliasChoices, Field

from codex_nb.types._base import Shape

__all__ = ["ModelInfo", "ModelPage", "ModelUpgrade", "ReasoningLevel", "ServiceTier"]


class ReasoningLevel(Shape):
    """One effort that a model offers."""

    effort: str | int | float
    description: str | None = None


class ServiceTier(Shape):
    """A speed that can be bought with quota; ``id`` is what a request says."""

    id: str
    name: str | None = None
    description: str | None = None


class ModelUpgrade(Shape):
    """The model that replaces this one."""

    model: str
    retirement_at: str | None = None


class ModelInfo(Shape):
    """One model. ``id`` (the service says ``slug``) is what requests name; token counts are of the whole window."""

    id: str = Field(validation_alias=AliasChoices("slug", "id"), serialization_alias="slug")
    display_name: str | None = None
    description: str | None = None
    visibility: str | None = None
    priority: int | None = None
    supported_in_api: bool | None = None
    context_window: int | None = None
    max_context_window: int | None = None
    default_reasoning_level: str | int | float | None = None
    supported_reasoning_levels: list[ReasoningLevel] = Field(default_factory=list[ReasoningLevel])
    support_verbosity: bool | None = None
    default_verbosity: str | None = None
    supports_parallel_tool_calls: bool | None = None
    supports_reasoning_summary_parameter: bool | None = None
    use_responses_lite: bool | None = None
    input_modalities: list[str] | None = None
    service_tiers: list[ServiceTier] = Field(default_factory=list[ServiceTier])
    available_in_plans: list[str] | None = None
    upgrade: ModelUpgrade | None = None

    @property
    def slug(self) -> str:
        """The service's own word for ``id``."""
        return self.id

    @property
    def listed(self) -> bool:
        """Whether the service wants it shown in a list of choices."""
        return self.visibility in {None, "list"}


class ModelPage:
    """All models of an account, best first. Iterates, counts and indexes like a list."""

    def __init__(self, data: Iterable[ModelInfo], etag: str | None = None) -> None:
        last = 1 << 30
        self.data = sorted(data, key=lambda model: last if model.priority is None else model.priority)
        self.etag = etag

    @property
    def object(self) -> str:
        """Always ``list``, as openai-python says."""
        return "list"

    def __iter__(self) -> Iterator[ModelInfo]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> ModelInfo:
        return self.data[index]

    def __repr__(self) -> str:
        return f"ModelPage({', '.join(model.id for model in self.data)})"
