"""What all shapes share: unknown fields are kept, reprs are short, JSON is one call away."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Part", "Shape"]

SHORT = 60


class Part(BaseModel):
    """A small JSON object inside of others, of which there are many: its fields take null by themselves."""

    # Validators are built when first needed: a first answer is painted before most of them are.
    model_config = ConfigDict(extra="allow", protected_namespaces=(), populate_by_name=True, defer_build=True)

    @property
    def raw(self) -> dict[str, Any]:
        """The payload as plain JSON values, without fields that were absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def __repr_args__(self) -> Any:
        """Show the declared fields that hold something; long values are cut."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if not field.repr or value in (None, "", [], {}):
                continue
            text = repr(value)
            yield name, value if len(text) <= SHORT else _Cut(text)

    def __str__(self) -> str:
        return repr(self)


class Shape(Part):
    """A JSON object of the service. ``raw`` is the payload, unknown fields included."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        """Take null where a value has a default: servers differ in which of the two they send."""
        if not isinstance(value, dict):
            return value
        fields = cast("dict[str, Any]", value)
        if None not in fields.values():
            return fields
        defaults = {name for name, field in cls.model_fields.items() if field.default is not None}
        return {name: v for name, v in fields.items() if v is not None or name not in defaults}


class _Cut(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self[:SHORT]}…"
