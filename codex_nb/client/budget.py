"""A limit of one's own: how much of the quota a stretch of work may use."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from numbers import Real
from types import NoneType
from typing import TYPE_CHECKING, Final, Self

from codex_nb.client.default import session_of
from codex_nb.durations import window_name
from codex_nb.errors import BudgetReached, CodexError, InvalidOption
from codex_nb.notices import warn
from codex_nb.wire.headers import QuotaWindow

if TYPE_CHECKING:
    from types import TracebackType

    from codex_nb.client.session import Session

__all__ = ["Budget", "Meter", "StandingBudget", "budget"]

# At this part of the budget it says so.
NEARLY: Final = 0.8
# Two words for the same reset may differ by this many seconds.
SAME: Final = 120.0


class Meter:
    """What a stretch of work uses of the quota: ``with Meter(session) as meter: …``, then ``meter.spent``."""

    def __init__(self, session: Session | None = None, window: str | None = None) -> None:
        self.window = window
        self._session = session
        self._core = session_of(session)._core  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._latest: dict[tuple[str, str], QuotaWindow] = {}
        self._spent: dict[tuple[str, str], float] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        known = list(self._core.quota.values())
        if not any(map(self._counts, known)):
            known += self._asked()
        self._spent = {}
        self._latest = {(one.limit, one.slot): one for one in known}
        self._told = {_name(one) for one in known}
        self._check_window()
        self._core.budgets.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._core.budgets.remove(self)

    @property
    def spent(self) -> float:
        """How many percent were used so far, of the window that was used most."""
        return max(self._spent.values(), default=0.0)

    def observe(self, windows: Iterable[QuotaWindow]) -> None:
        """Take what an answer tells of the quota."""
        with self._lock:
            for one in windows:
                self._told.add(_name(one))
                if self._counts(one):
                    self._count(one)

    def ask(self) -> None:
        """Ask what is used by now, for work whose answers do not tell. Where nothing is told, nothing counts."""
        self.observe(self._asked())

    def check(self) -> None:
        """Let a request go.

        Raises:
            InvalidOption: there are windows, and none is called ``window``; nothing was sent.

        """
        self._check_window()

    def _check_window(self) -> None:
        # Not as soon as an answer tells the names: it is not lost by one.
        with self._lock:
            told = sorted(self._told)
        if self.window is not None and told and _plain(self.window) not in map(_plain, told):
            raise InvalidOption(
                f"No window of the quota is called {self.window[:40]!r}.",
                hint=f"There are: {', '.join(map(repr, told))}. Without window= any of them counts.",
            )

    def _counts(self, one: QuotaWindow) -> bool:
        return self.window is None or _plain(_name(one)) == _plain(self.window)

    def _count(self, one: QuotaWindow) -> None:
        key = (one.limit, one.slot)
        before = self._latest.get(key)
        anew = before is not None and _later(one.resets_at, before.resets_at)
        if before is not None and not anew and (one.used < before.used or _later(before.resets_at, one.resets_at)):
            return  # an answer that came late
        self._latest[key] = one
        if before is not None:
            self._spent[key] = self._spent.get(key, 0.0) + (one.used if anew else one.used - before.used)

    def _asked(self) -> list[QuotaWindow]:
        """Ask what is used at the beginning. Where that is not told, the first answer's word is the beginning."""
        try:
            report = session_of(self._session).codex.usage()
        except CodexError:
            return []
        limit = report.rate_limit
        slots = (("primary", limit.primary_window), ("secondary", limit.secondary_window)) if limit else ()
        return [
            QuotaWindow("codex", slot, one.used_percent, _minutes(one.limit_window_seconds), one.reset_at)
            for slot, one in slots
            if one and one.used_percent is not None
        ]


class Budget(Meter):
    """How many percent of any one window of the quota may be used; see `budget`."""

    name = "budget"

    def __init__(self, percent: float, session: Session | None = None, window: str | None = None) -> None:
        if not isinstance(percent, Real) or not 0 < percent <= 100:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidOption("A budget is a percentage above 0, up to 100.", hint="Example: budget(percent=5).")
        if not isinstance(window, (str, NoneType)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidOption("window is the name of a window of the quota.", hint='Example: window="weekly".')
        super().__init__(session, window)
        self.percent = float(percent)
        self._warned = False
        self._untold: UserWarning | None = None

    def __enter__(self) -> Self:
        self._warned = False
        return super().__enter__()

    def __repr__(self) -> str:
        return f"<Budget {self.spent:g} of {self.percent:g} %>"

    @property
    def left(self) -> float:
        """How many percent may still be used."""
        return max(0.0, self.percent - self.spent)

    def observe(self, windows: Iterable[QuotaWindow]) -> None:
        """Take what an answer tells of the quota; warn once when the budget is nearly used up."""
        super().observe(windows)
        with self._lock:
            nearly = not self._warned and self.spent >= NEARLY * self.percent
            self._warned = self._warned or nearly
        if nearly:
            try:
                warn(f"{self.spent:g} of the budget's {self.percent:g} % of quota are used.")
            except UserWarning as error:  # where warnings are errors: an answer that came is not lost by one
                self._untold = error

    def check(self) -> None:
        """Let a request go.

        Raises:
            BudgetReached: the budget is used up; nothing was sent.
            InvalidOption: there are windows, and none is called ``window``; nothing was sent.
            UserWarning: it nearly is, and warnings are errors here; nothing was sent.

        """
        super().check()
        untold, self._untold = self._untold, None
        if untold:
            raise untold
        if self.spent < self.percent:
            return
        key = max(self._spent, key=lambda one: self._spent[one])
        latest = self._latest[key]
        until = datetime.fromtimestamp(latest.resets_at, UTC) if latest.resets_at else None
        when = f"on {until:%Y-%m-%d at %H:%M} UTC, when" if until else "when"
        raise BudgetReached(
            f"The budget is used up: {self.spent:g} of {self.percent:g} % of quota ({_name(latest)}, {latest.used:g} %"
            " used in all). Nothing was sent.",
            hint=f"Go on with a larger {self.name}, or {when} the window begins anew.",
            resets_at=until,
        )


class StandingBudget(Budget):
    """A budget that is set once and holds on. It sends nothing: the first answer's word is the beginning."""

    name = "%config CodexMagics.budget"

    def _asked(self) -> list[QuotaWindow]:
        return []

    def hold(self, budgets: list[Meter]) -> None:
        """Take the place of an earlier one, unless that is as large: it goes on counting."""
        earlier = [one for one in budgets if isinstance(one, StandingBudget)]
        if [one.percent for one in earlier] != [self.percent]:
            budgets[:] = [one for one in budgets if one not in earlier]
            self.__enter__()


def budget(percent: float, *, session: Session | None = None, window: str | None = None) -> Budget:
    """Return a limit of one's own: ``with codex_nb.budget(percent=5): …``.

    Inside, once the answers of ``session`` (the shared one) have used so many percent of any one window of the quota,
    the next request raises instead of being sent; at four fifths of it there is a warning. ``window`` counts one window
    alone, by its name: ``"5 h"``, ``"weekly"``; case and blanks do not matter. An answer that is under way is never cut
    off, and what other programs use of the same quota counts as well: the service tells no difference.

    Raises:
        InvalidOption: ``percent`` is no percentage above 0, or there is no such ``window``: at the beginning, or before
            the next request once an answer has told which there are.

    """
    return Budget(percent, session, window)


def _name(one: QuotaWindow) -> str:
    length = window_name(one.minutes * 60) if one.minutes else None
    return " ".join(part for part in (one.limit if one.limit != "codex" else "", length or "quota") if part)


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


def _minutes(seconds: float | None) -> int | None:
    return round(seconds / 60) if seconds else None


def _later(now: float | None, before: float | None) -> bool:
    return now is not None and before is not None and now > before + SAME
