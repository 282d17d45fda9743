"""Every frame that is made of what is kept on this machine, or of what is given: how it is built, and of what."""

import json
from contextlib import closing
from dataclasses import dataclass

from codex_nb import frames
from codex_nb.client._ledger_file import Entry
from codex_nb.client.ledger import Ledger
from tests.frames.builders import COUNT, KIND, LENGTH, STR
from tests.frames.rollouts import START, Rollout
from tests.frames.test_calls import CALLS
from tests.frames.test_cli import SESSIONS, TOKENS
from tests.frames.test_embeddings import DTYPES
from tests.frames.test_forecast import FORECAST, HISTORY
from tests.sounds import speech, wav

NOW = int(START.timestamp() * 1e6)
CALL = {"time": NOW, "method": "GET", "endpoint": "codex/models", "outcome": "completed", "attempts": 1, "seconds": 0.5}
QUOTA = {"time": NOW, "source": "headers", "limit_name": "codex", "slot": "primary"}
SAID = {"used": 12.5, "minutes": 300, "resets_at": NOW / 1e6 + 18_000}
ANSWERED = {
    **dict.fromkeys(("session", "backend", "host", "code", "model", "served_model", "engine", "effort"), "x"),
    **dict.fromkeys(("service_tier", "response_id", "request_id"), "x"),
    **dict.fromkeys(("to_headers", "to_text"), 0.25),
    **dict.fromkeys(("status", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"), 200),
    "total_tokens": 400,
}


def lines(rollout):
    """Return the lines of a rollout file as objects."""
    return [json.loads(line) for line in rollout.text.splitlines()]


ROLLOUT = Rollout("a").turn(1).call(2, 10, used=20.0).call(60, 30, used=30.0).limits(120, used=35.0)
EMPTY = {"entries": [], "lines": []}
MINIMAL = {"entries": [[CALL, None, []], [CALL, None, [QUOTA]]], "lines": lines(Rollout("a"))}
FULL = {"entries": [[CALL | ANSWERED, "account", [QUOTA | SAID]]], "lines": lines(ROLLOUT)}


@dataclass
class Kept:
    """One frame: ``build(payload, session=…, home=…)``, its dtypes, and payloads that say nothing, little and much."""

    name: str
    build: object
    dtypes: dict
    empty: object
    minimal: object
    full: list

    def frame(self, session, home, payload):
        """Return the frame of ``payload``, which is also what ``home`` and the session's ledger hold."""
        if isinstance(payload, dict):
            keep(payload, session, home)
        return self.build(payload, session=session, home=home)


def keep(payload, session, home):
    """Write the ledger of ``session`` and a rollout below ``home``."""
    with closing(Ledger(session.ledger.path)) as ledger:
        for call, account, quota in payload["entries"]:
            ledger.begin()
            ledger.add(Entry(call, account, quota))
        ledger.flush()
    if payload["lines"]:
        Rollout("a").write(home, "".join(json.dumps(line) + "\n" for line in payload["lines"]).encode())


def recordings(payload, session, home):
    """Return the transcripts of files with these contents, Latin-1."""
    files = [home / f"{number}.wav" for number in range(len(payload))]
    for file, content in zip(files, payload, strict=True):
        file.write_bytes(str(content).encode("latin-1", "replace"))
    return frames.transcripts(files, session)


def of_home(name, build, dtypes):
    """Return a frame of the ledger or of rollouts."""
    return Kept(name, build, dtypes, EMPTY, MINIMAL, [FULL])


KEPT = [
    of_home("calls", lambda _, session, **_home: frames.calls(session), CALLS),
    of_home("usage_history", lambda _, session, home: frames.usage_history(session, home=home), HISTORY),
    of_home(
        "forecast",
        lambda _, session, home: frames.forecast(history=frames.usage_history(session, home=home), now=NOW / 1e6 + 300),
        FORECAST,
    ),
    of_home("cli_sessions", lambda _, home, **_session: frames.cli_sessions(home=home), SESSIONS),
    of_home(
        "cli_tokens",
        lambda _, home, **_session: frames.cli_tokens(["day", "model", "effort"], home=home),
        {
            "day": "datetime64[us]",
            "model": STR,
            "effort": KIND,
            **dict.fromkeys(("calls", "sessions", *TOKENS), COUNT),
        },
    ),
    Kept(
        "embeddings",
        lambda texts, session, **_home: frames.embeddings(
            [text if text is None else str(text) for text in texts], session
        ),
        DTYPES,
        [],
        [None],
        [["red", None, "green", "red"]],
    ),
    Kept(
        "transcripts",
        recordings,
        {**dict.fromkeys(("source", "text"), STR), "duration": LENGTH, **dict.fromkeys(("route", "error"), STR)},
        [],
        [""],
        [[wav(speech(0.3)).decode("latin-1"), "no sound"]],
    ),
]
