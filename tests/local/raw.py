"""A client without any cleverness: what the wire looks like before codex_nb reads it."""

import json
from pathlib import Path

import httpx

from codex_nb.errors import CodexError
from codex_nb.local import LocalBackend

FIXTURES = Path(__file__).parents[1] / "fixtures"
BEARER = {"authorization": "Bearer local"}
RESPONSES = "/backend-api/codex/responses"


def body(text="Hi", **changes):
    """Return the smallest body that the Codex path accepts, changed; None takes a field away."""
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    whole = {"model": "gpt-5.5", "instructions": "Be brief.", "input": [message], "store": False, "stream": True}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def events(content: str):
    """Return the events of a well-formed stream."""
    blocks = [block for block in content.split("\n\n") if block]
    return [json.loads(block.split("data: ", 1)[1]) for block in blocks]


def missing_model():
    """Return what a real model lacks here, None when it can run."""
    try:
        import xllamacpp  # noqa: F401

        from codex_nb.local.engines.gguf import find_model

        find_model()
    except (ImportError, CodexError) as error:
        return str(error)
    return None


def text_of(content: str):
    """Return the text that the deltas of a stream add up to."""
    return "".join(event["delta"] for event in events(content) if event["type"] == "response.output_text.delta")


class Raw:
    """One httpx client for all tests; making one costs more than a test."""

    def __init__(self) -> None:
        self.http = httpx.Client(headers=BEARER, timeout=30, trust_env=False)

    def post(self, backend: LocalBackend, **changes):
        """Ask on the Codex path."""
        return self.http.post(backend.url + RESPONSES, json=body(**changes))

    def get(self, backend: LocalBackend, path: str, **options):
        """Get a path."""
        return self.http.get(backend.url + path, **options)

    def stream(self, backend: LocalBackend, **changes):
        """Ask on the Codex path and read as it comes."""
        return self.http.stream("POST", backend.url + RESPONSES, json=body(**changes))
