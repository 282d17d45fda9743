"""codex-backend-sdk, old or new, signs in at a backend and calls every method of its own table, as its users do.

What came of each call is printed as JSON, by the name of the method.
"""

import json
import signal
import sys
import tempfile
import threading
import traceback
import wave
import webbrowser
from pathlib import Path

import requests

PERSON = {
    "title": "person",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"


def point(url):
    """Send everything to the backend at ``url``; the addresses are constants of the package."""
    signal.alarm(110)  # its sign-in would wait forever
    from codex_backend_sdk import _client, oauth

    _client.BASE_URL = f"{url}/backend-api/codex"
    _client.CHATGPT_BASE_URL = _client.WHAM_BASE_URL = f"{url}/backend-api"
    _client.OPENAI_BASE_URL = f"{url}/v1"
    oauth.ISSUER = url
    # The person at the browser says yes at once.
    webbrowser.open = lambda address: threading.Thread(target=requests.get, args=(address,)).start() or True


def sound(folder):
    """Write a second of silence."""
    path = folder / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    return path


def plain(value):
    """Return ``value`` as JSON has it."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)


def call(response):
    """Return what a realtime call was answered with."""
    return {"text": response.text, "call_id": getattr(response, "call_id", None)}


class Calls:
    """The calls, by name. ``results`` holds what each gave, or how it failed."""

    def __init__(self):
        self.results = {}

    def add(self, name, work):
        """Make a call."""
        try:
            self.results[name] = plain(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            self.results[name] = {"failed": f"{type(error).__name__}: {error}", "at": traceback.format_exc()[-600:]}
        return self.results[name]

    def show(self):
        """Print everything."""
        sys.stdout.write("\n" + json.dumps(self.results) + "\n")


def streamed(client, **fields):
    """Stream an answer; return its text and the types of its events."""
    types, text = [], ""
    for event in client.responses.create(stream=True, **fields):
        types.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
    return {"text": text, "types": types}


def tools(client):
    """Let the model call a function and go on with its result."""
    first = client.responses.create(input="What's the weather in Paris?", tools=[WEATHER])
    call = next(item for item in plain(first.output) if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"temperature": 18}'}
    second = client.responses.create(input=[call, result], tools=[WEATHER])
    return {"arguments": call["arguments"], "answer": second.output_text}


def common(calls, client):
    """Make the calls that both versions have."""
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        age: int

    folder = Path(tempfile.mkdtemp())
    notes = folder / "notes.txt"
    notes.write_text("Remember the milk.", encoding="utf-8")
    form = {"format": {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}}

    calls.add("responses.create", lambda: client.responses.create(input="Hello").output_text)
    calls.add("responses.create(stream)", lambda: streamed(client, input="Hello"))
    calls.add("responses.create(tools)", lambda: tools(client))
    calls.add("responses.create(text)", lambda: client.responses.create(input="Bob is 42.", text=form).output_text)
    calls.add(
        "responses.parse",
        lambda: client.responses.parse(input="Bob is 42.", text_format=Person).output_parsed,
    )
    compacted = calls.add(
        "responses.compact",
        lambda: client.responses.compact(
            input=[
                {"role": "user", "content": "My name is Alice."},
                {"role": "assistant", "content": "Hello Alice."},
            ],
            instructions="Be brief.",
        ),
    )
    if "output" in compacted:
        calls.add(
            "responses.create(compacted)",
            lambda: (
                client.responses.create(
                    input=[*compacted["output"], {"role": "user", "content": "What is my name?"}]
                ).output_text
            ),
        )
    calls.add("models.list", lambda: [model.id for model in client.models.list()])
    calls.add("models.retrieve", lambda: client.models.retrieve("gpt-5.4"))
    calls.add(
        "embeddings.create",
        lambda: client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=3),
    )
    recording = sound(folder)
    with recording.open("rb") as file:
        calls.add(
            "audio.transcriptions.create",
            lambda: client.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=file),
        )
    calls.add("files.upload", lambda: client.files.upload(notes))
    codex = client.codex
    calls.add("codex.usage", codex.usage)
    calls.add("codex.config.requirements", codex.config.requirements)
    page = calls.add("codex.tasks.list", lambda: codex.tasks.list(limit=5))
    calls.add("codex.tasks.list(cursor)", lambda: codex.tasks.list(limit=5, cursor=page["cursor"]))
    task = page["items"][0]["id"] if page.get("items") else "task_e_0"
    calls.add("codex.tasks.retrieve", lambda: codex.tasks.retrieve(task))
    turns = calls.add("codex.tasks.turns.list", lambda: codex.tasks.turns.list(task))
    turn = turns.get("current_turn_id") or f"{task}~assttrn_e_0"
    calls.add("codex.tasks.turns.sibling_turns", lambda: codex.tasks.turns.sibling_turns(task, turn))
    calls.add("codex.environments.list", codex.environments.list)
    calls.add("codex.memories.list", codex.memories.list)
    calls.add("codex.user_system_messages.retrieve", codex.user_system_messages.retrieve)
    trace = {"id": "t1", "metadata": {"source_path": "x"}, "items": [{"role": "user", "content": "Hello"}]}
    calls.add(
        "codex.memories.trace_summarize",
        lambda: codex.memories.trace_summarize(model="gpt-5.4", traces=[trace]),
    )
    return page


def old(calls, client):
    """Make the calls that only 0.3.3 has."""
    create = client.realtime.calls.create
    calls.add("realtime.calls.create", lambda: call(create(sdp=SDP)))
    calls.add("realtime.calls.create(session)", lambda: call(create(sdp=SDP, session={"model": "gpt-realtime"})))
    calls.add("realtime_websocket_url", lambda: client.realtime_websocket_url(model="gpt-realtime"))
    calls.add("realtime_websocket_headers", lambda: sorted(client.realtime_websocket_headers(session_id="s")))


def new(calls, client):
    """Make the calls that only 0.5.9 has."""
    create = client.realtime.calls.create_v3
    calls.add("realtime.calls.create", lambda: call(create(sdp=SDP, session={"model": "gpt-live-1.1"})))
    calls.add("codex.accounts.check", client.codex.accounts.check)


def main(url):
    """Sign in, call everything, and sign in again with what was kept."""
    from importlib.metadata import version

    from codex_backend_sdk import OpenAI

    calls = Calls()
    point(url)
    client = OpenAI(instructions="Be brief.")  # the service refuses an empty text
    newer = version("codex-backend-sdk") != "0.3.3"
    if newer:
        from codex_backend_sdk import _codex_version

        _codex_version._VERSION_URL = f"{url}/healthz"  # it would ask a registry on the internet
    calls.add("authenticate", lambda: bool(client.authenticate()._store.openai_api_key))
    common(calls, client)
    (new if newer else old)(calls, client)
    calls.add("authenticate again", lambda: bool(OpenAI().authenticate().models.list()))
    calls.show()


main(sys.argv[1])
