"""How a call becomes a row of the ledger: what is noted while it runs, and how it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from codex_nb.client._kept import (
    endpoint_of,
    ends,
    event_windows,
    finite,
    label,
    number_text,
    tokens,
    usage_in,
    usage_windows,
    whole_number,
)
from codex_nb.client._ledger_file import Entry
from codex_nb.client._transport import bearer_of
from codex_nb.client._writer import unfinished
from codex_nb.errors import CodexError, MalformedStream, NotSignedIn
from codex_nb.wire.assemble import TERMINAL
from codex_nb.wire.call import Call
from codex_nb.wire.headers import quota
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from codex_nb.client.ledger import Ledger
    from codex_nb.wire.assemble import Assembly
    from codex_nb.wire.call import Flow, Reply
    from codex_nb.wire.headers import QuotaWindow

__all__ = ["Recorder", "Recording", "Watched"]

T = TypeVar("T")


class Recorder:
    """Watches the calls of one session for its ledger."""

    def __init__(self, ledger: Ledger, session: str, backend: str) -> None:
        self.ledger = ledger
        self.session = label(session)
        self.backend = label(backend.rpartition("://")[2].partition("/")[0])

    def begin(self, call: Call) -> Recording | None:
        """Return what watches ``call``; None if it is of no account (signing in) or nothing is kept."""
        signing_in = call.path.startswith("issuer/") or ("://" in call.path and call.content is None)
        if signing_in or not self.ledger.on:
            return None
        self.ledger.begin()
        return Recording(self, call)


class Recording:
    """One call, all attempts of it. It is in the ledger once, at the first word on how it ended.

    That is the end of the flow, of an error, or of the stream; or this object's own, if nobody says anything.
    """

    def __init__(self, recorder: Recorder, call: Call) -> None:
        asked = as_object(call.json)
        self.attempts = 0
        # What arrives piece by piece says itself how it ends; `answer` is what is made of it, if that is an answer.
        self.streaming = False
        self.answer: Assembly | None = None
        self._recorder = recorder
        self._began = time.perf_counter()
        self._time = time.time_ns() // 1_000
        self._done = False
        self._request: Mapping[str, str] = {}
        self._secret = ""
        self._body = b""
        self._quota: list[tuple[str, QuotaWindow]] = []
        self._facts: dict[str, str | float | None] = {
            "method": call.method,
            "endpoint": endpoint_of(call.path),
            "model": label(asked.get("model")),
            "effort": label(number_text(as_object(asked.get("reasoning")).get("effort"))),
            "service_tier": label(asked.get("service_tier")),
        }
        unfinished.add(self)

    def sending(self, request: httpx.Request) -> None:
        """Note an attempt. The login is attached to ``request`` later."""
        self.attempts += 1
        self._request = request.headers
        self._facts["host"] = label(request.url.netloc.decode("ascii", "replace"))

    def arrived(self, response: httpx.Response) -> None:
        """Note the headers of an attempt's answer."""
        self._secret = bearer_of(response.request)
        headers = {name.lower(): value for name, value in response.headers.items()}
        named = (headers.get(name) for name in ("x-request-id", "x-oai-request-id", "cf-ray"))
        self._facts |= {
            "to_headers": self._elapsed(),
            "status": response.status_code,
            "request_id": self._label(next(filter(None, named), None)),
            "served_model": self._label(headers.get("openai-model")),
            "engine": self._label(headers.get("x-codex-nb-engine")),
        }
        self._quota = [("headers", window) for window in quota(headers)]

    def text_came(self) -> None:
        """Note that the first text is there."""
        self._facts["to_text"] = self._elapsed()

    def came(self, reply: Reply) -> None:
        """Note a body that came whole. Its end is not the end of the call: it may not be what it should be."""
        self._body = ends(reply.content)
        self._facts["seconds"] = self._elapsed()
        if self._facts["endpoint"] == "account/wham/usage":
            self._quota += [("usage", window) for window in usage_windows(reply.content)]

    def said(self, message: bytes) -> None:
        """Note a message of a socket: the first one with text, and the one that counts tokens."""
        if b'"delta"' in message:
            self._facts.setdefault("to_text", self._elapsed())
        if b'"usage"' in message:
            self._body = ends(message)

    def ended(self, error: CodexError | None = None) -> None:
        """Note the end: of the stream, if one came, else of the call."""
        if self._whole and not isinstance(error, MalformedStream):
            error = None  # it is about something else
        ending = self.answer.ending if self.answer else None
        if error is None or ending:
            outcome = TERMINAL.get(ending["type"], "completed") if ending else "completed"
        else:
            outcome = type(error).__name__
        if error and "status" not in self._facts:
            if isinstance(error, NotSignedIn):  # nothing was sent
                self._done = True
            self._facts["status"] = whole_number(getattr(error, "status_code", None))
        self._facts["code"] = self._label(getattr(error, "code", None))
        self._file(outcome)

    def left(self) -> None:
        """Note that nobody waits any more."""
        self._file("completed" if self._whole else "interrupted")

    def __del__(self) -> None:
        self.left()

    def drop(self) -> None:
        """Keep nothing: another process does."""
        self._done = True

    @property
    def _whole(self) -> bool:
        """Whether all of the reply has come, at once."""
        return "seconds" in self._facts

    def _elapsed(self) -> float:
        return time.perf_counter() - self._began

    def _label(self, value: Any) -> str | None:
        return label(value, self._secret)

    def _file(self, outcome: str) -> None:
        if self._done or not self.attempts:
            return
        self._done = True
        unfinished.discard(self)
        self._facts.setdefault("seconds", self._elapsed())
        if self.answer:
            self._take_answer(self.answer)
        else:
            self._facts |= usage_in(self._body)
        recorder, account = self._recorder, self._request.get("chatgpt-account-id")
        arrived = self._time + round(cast("float", self._facts.get("to_headers") or 0.0) * 1e6)
        call = self._facts | {
            "time": self._time,
            "session": recorder.session,
            "backend": recorder.backend,
            "outcome": outcome,
            "attempts": self.attempts,
        }
        recorder.ledger.add(Entry(call, account, [self._window(arrived, *each) for each in self._quota]))
        self.answer, self._request, self._body = None, {}, b""

    def _take_answer(self, answer: Assembly) -> None:
        head = answer.head
        self._facts |= {"response_id": self._label(head.get("id"))} | tokens(head.get("usage"))
        served = answer.metadata.get("openai-model") or self._facts.get("served_model") or head.get("model")
        self._facts["served_model"] = self._label(served)
        if tier := self._label(head.get("service_tier")):
            self._facts["service_tier"] = tier
        if reason := self._label(as_object(head.get("incomplete_details")).get("reason")):
            self._facts["code"] = reason
        self._quota += [("event", window) for window in event_windows(answer.rate_limits)]

    def _window(self, moment: int, source: str, window: QuotaWindow) -> dict[str, str | float | None]:
        return {
            "time": moment,
            "source": source,
            "limit_name": self._label(window.limit) or "other",
            "slot": window.slot,
            "used": finite(window.used),
            "minutes": whole_number(window.minutes),
            "resets_at": finite(window.resets_at),
        }


class Watched:
    """The calls of one run of a flow, one after the other. ``recording`` is that of the latest, None if it has none."""

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self.recording: Recording | None = None

    def flow(self, flow: Flow[T]) -> Flow[T]:
        """Wrap ``flow``: each of its calls is recorded, with the error that came of it."""
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                failed = None
                if isinstance(step, Call):
                    self._over()
                    self.recording = self._recorder.begin(step) if self._recorder else None
                try:
                    outcome = yield step
                except CodexError as error:
                    failed = error
                if isinstance(step, Call):
                    self._answered(outcome, failed)
        except StopIteration as end:
            self._over()
            return cast("T", end.value)
        except CodexError as error:
            self._over(error)
            raise
        finally:
            flow.close()
            if self.recording and not self.recording.streaming:
                self.recording.left()

    def _answered(self, reply: Reply, failed: CodexError | None) -> None:
        if not self.recording:
            return
        if failed:
            self.recording.ended(failed)
        elif reply.body is None:
            self.recording.came(reply)
        else:
            self.recording.streaming = True

    def _over(self, error: CodexError | None = None) -> None:
        """Note how the latest call ended, unless it is an answer under way, which says so itself."""
        if self.recording and (error or self.recording.answer is None):
            self.recording.ended(error)
