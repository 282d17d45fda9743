"""The line under an answer: model, time, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.durations import span

if TYPE_CHECKING:
    from codex_nb.chat.answer import Answer
    from codex_nb.chat.quota import QuotaUse

__all__ = ["plural", "receipt"]

ENDINGS = {"interrupted": "stopped", "failed": "broken off"}


def receipt(answer: Answer, detail: str = "short") -> str:
    """Return the receipt.

    ``gpt-5.4 · medium · 3.4 s · 2.1k in (1.8k cached) / 310 out · weekly 41 → 42 % · resets in 3 d 4 h · 3 turns sent``

    ``short`` names the most used window of the quota, ``full`` all of them, and the tokens that were thought. ``off``
    leaves what must be said in any case: how an answer ended that is not whole.
    """
    if detail == "off":
        return _ending(answer)
    full = detail == "full"
    return " · ".join(
        part
        for part in (
            _model(answer),
            answer.effort,
            _seconds(answer.seconds),
            _tokens(answer, full=full),
            _engine(answer),
            "replayed" if answer.replayed else "",
            *(_window(window) for window in (answer.quota if full else answer.quota[:1])),
            plural(len(answer.tool_calls), "tool call") if answer.tool_calls else "",
            _turns(answer),
            _ending(answer),
        )
        if part
    )


def _model(answer: Answer) -> str:
    served = answer.response.served_model if answer.response else None
    return answer.model if not served or served == answer.model else f"{answer.model} (answered by {served})"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else span(seconds)


def _tokens(answer: Answer, *, full: bool) -> str:
    usage = answer.usage
    if not usage:
        return ""
    cached = usage.input_tokens_details.cached_tokens
    spent = f"{_count(usage.input_tokens)} in{f' ({_count(cached)} cached)' if cached else ''}"
    thought = usage.output_tokens_details.reasoning_tokens if full else 0
    return f"{spent} / {_count(usage.output_tokens)} out{f' ({_count(thought)} thought)' if thought else ''}"


def _count(tokens: int) -> str:
    if tokens < 1_000:
        return str(tokens)
    return f"{tokens / 1_000:.1f}k" if tokens < 1_000_000 else f"{tokens / 1_000_000:.1f}M"


def _window(window: QuotaUse) -> str:
    before, after = (None if used is None else f"{used:.3g}" for used in (window.before, window.after))
    spent = f"{window.name} {f'{before} → ' if before not in {None, after} else ''}{after} %"
    # Whole minutes: the line stays as it is, and seconds would not.
    return f"{spent} · resets in {span(max(60, window.resets_in // 60 * 60))}" if window.resets_in else spent


def _turns(answer: Answer) -> str:
    """Say what the model was given of the conversation, and what now hangs on an answer that is gone."""
    sent = f"{plural(answer.turns_sent, 'turn')} sent" if answer.turns_sent else ""
    short = f"compacted {plural(answer.turns_compacted, 'turn')}" if answer.turns_compacted else ""
    stale = f"{plural(answer.turns_stale, 'later turn')} not asked again" if answer.turns_stale else ""
    return " · ".join(part for part in (sent, short, stale) if part)


def plural(count: int, noun: str) -> str:
    """Return a number of things: ``1 turn``, ``2 turns``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _engine(answer: Answer) -> str:
    """Say when no service answered, but this machine."""
    engine = answer.response.local_engine if answer.response else None
    return f"local {engine}" if engine else ""


def _ending(answer: Answer) -> str:
    if answer.status == "incomplete":
        return f"incomplete ({answer.reason or 'no reason given'})"
    return ENDINGS.get(answer.status, "")
