"""Which accounts (workspaces) a login can use."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from pydantic import AliasChoices, Field, field_validator

from codex_nb.types._record import Record, Rows

__all__ = ["Account", "Accounts"]


class Account(Record):
    """One account: a person's own, or a workspace."""

    id: str = Field(validation_alias=AliasChoices("id", "account_id"))
    name: str | None = None
    structure: str | None = None
    plan_type: str | None = None
    profile_picture_url: str | None = None
    workspace_backend_origin: str | None = None
    account_routing_override: str | None = None

    shown: ClassVar[tuple[str, ...]] = ("id", "name", "structure", "plan_type")

    @property
    def account_id(self) -> str:
        """The same as ``id``."""
        return self.id


class Accounts(Rows[Account]):
    """The accounts that the login can use: an array, or in the older form a map by id. A list of them.

    ``accounts`` are as they came, ``items`` each once and in the order in which the service wants them shown.
    """

    accounts: list[Account]
    account_ordering: list[str] = Field(default_factory=list[str])
    default_account_id: str | None = None

    @field_validator("accounts", mode="before")
    @classmethod
    def _of_map(cls, value: Any) -> Any:
        """Read the map as an array. What a service says beside an account's own fields is kept with them."""
        if not isinstance(value, dict):
            return [] if value is None else value
        return [_flat(name, entry) for name, entry in cast("dict[str, Any]", value).items() if entry is not None]

    @property
    def items(self) -> list[Account]:
        """Each account once, those that are in ``account_ordering`` first and like there."""
        found = {account.id: account for account in self.accounts}
        first = [name for name in self.account_ordering if name in found]
        return [found[name] for name in dict.fromkeys([*first, *found])]

    @property
    def by_id(self) -> dict[str, Account]:
        """The accounts by their ids."""
        return {account.id: account for account in self.items}

    @property
    def default(self) -> Account | None:
        """The account that is used where none is chosen; None if that is not said."""
        return self.by_id.get(self.default_account_id or "")


def _flat(name: str, entry: Any) -> Any:
    """Return an entry of the map as one of the array. Its name may be ``default``; the account's own id wins."""
    if not isinstance(entry, dict):
        return entry
    fields = dict(cast("dict[str, Any]", entry))
    own = fields.pop("account", None)
    whole: dict[str, Any] = {"id": name, **fields, **(cast("dict[str, Any]", own) if isinstance(own, dict) else {})}
    return {**whole, "id": whole.get("account_id") or whole["id"]}
