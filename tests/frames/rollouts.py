"""Rollout files as the Codex CLI writes them, made up."""

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


def stamp(seconds):
    """Return a time of day one, as the CLI writes it."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(seconds, kind, payload):
    """Return a line."""
    return json.dumps({"timestamp": stamp(seconds), "type": kind, "payload": payload}) + "\n"


def usage(input, cached=0, output=0, reasoning=0):
    """Return token counts."""
    return {
        "input_tokens": input,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": input + output,
    }


class Rollout:
    """Writes the lines of one session, with the sums as the CLI keeps them."""

    def __init__(self, name, *, parent=None, cwd="/projects/alpha", begins=0, **facts):
        self.id, self.begins = name, begins
        self.total = usage(0)
        self.text = line(
            begins,
            "session_meta",
            {"id": name, "timestamp": stamp(begins), "cwd": cwd, "originator": "codex_cli_rs", "cli_version": "0.1"}
            | ({"forked_from_id": parent} if parent else {})
            | facts,
        )

    def turn(self, seconds, model="gpt-5.5", effort="high", cwd="/projects/alpha", turn_id=None):
        """Begin a turn."""
        payload = {"model": model, "effort": effort, "cwd": cwd} | ({"turn_id": turn_id} if turn_id else {})
        self.text += line(seconds, "turn_context", payload)
        return self

    def says(self, seconds, text):
        """Write down a message."""
        content = [{"type": "input_text", "text": text}]
        self.text += line(seconds, "response_item", {"type": "message", "role": "user", "content": content})
        return self

    def call(self, seconds, input, cached=0, output=0, reasoning=0, *, limit="codex", last=True, used=1.0):
        """Note what a call used."""
        part = usage(input, cached, output, reasoning)
        self.total = {name: self.total[name] + part[name] for name in part}
        return self.again(seconds, part if last else None, limit=limit, used=used)

    def again(self, seconds, part=None, *, limit="codex", used=1.0):
        """Send the sums once more."""
        info = {"total_token_usage": self.total} | ({"last_token_usage": part} if part else {})
        return self.limits(seconds, info, limit=limit, used=used)

    def limits(self, seconds, info=None, *, limit="codex", used=1.0):
        """Write a token count, with what is used of two windows."""
        resets = START.timestamp()
        windows = {
            "primary": {"used_percent": used, "window_minutes": 300, "resets_at": resets + 18_000},
            "secondary": {"used_percent": used / 10, "window_minutes": 10_080, "resets_at": resets + 604_800},
        }
        payload = {"type": "token_count", "info": info, "rate_limits": {"limit_id": limit, **windows}}
        self.text += line(seconds, "event_msg", payload)
        return self

    def save(self, home, folder="sessions/2026/10/01"):
        """Write the file and return its path."""
        return self.write(home, self.text.encode(), folder)

    def write(self, home, content, folder="sessions/2026/10/01", ending=".jsonl"):
        """Write any bytes as the session's file."""
        at = (START + timedelta(seconds=self.begins)).strftime("%Y-%m-%dT%H-%M-%S")
        path = home / folder / f"rollout-{at}-{self.id}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path
