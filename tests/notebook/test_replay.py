"""Record and replay: a notebook that runs again without a service, to the byte."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import codex_nb
from codex_nb.chat.cache import Cache, cache_of
from codex_nb.client.tape import taped
from codex_nb.local import Fault, FunctionCall, LocalBackend, Script, Turn

CELLS = [
    "%load_ext codex_nb",
    "def weather(city: str) -> str:\n    'Weather of a city.'\n    return f'{len(city)} degrees in {city}'",
    "%%codex -m gpt-5.4/low\nWhat is a café? Ünïcode.",
    "%%codex\nAnd then?",
    "%%codex -n -t weather --approve always -o w\nHow warm is it in Oslo?",
    '%%codex -n -s "[city: str, population: int]"\nCities?',
    "_codex.df",
    "%%codex -n -f json\nAn object.",
    "%%codex -n\nTell a joke.",
    "%%codex -n\nTell a joke.",
    "%%codex\nWhy is that funny?",
    "w.seconds, w.replayed or None",
]
TURNS = [
    Turn(text=["A c", "afé ☕ is", " a place."], reasoning="Thinking of coffee."),
    Turn(text="Then tea."),
    Turn(calls=[FunctionCall("weather", '{"city": "Oslo"}')]),
    Turn(text="It is 4 degrees."),
    Turn(text='{"value": [{"city": "Oslo", "population": 717710}]}'),
    Turn(text='{"a": [1, 2]}'),
    Turn(text="Joke one."),
    Turn(text="Joke two."),
    Turn(text="Because of two."),
]


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A folder for a notebook, and a backend that a fresh kernel is signed in to."""
    home = tmp_path / "home"
    home.mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    with LocalBackend(Script(turns=TURNS)) as backend:
        login = backend.auth_json()
        (home / "auth.json").write_text(json.dumps(login))
        monkeypatch.setenv("CODEX_HOME", str(home))
        monkeypatch.setenv("CODEX_NB_BACKEND", backend.url)
        monkeypatch.setenv("CODEX_NB_MODEL", "gpt-5.5")
        backend.login, backend.home, backend.folder = login, home, folder
        yield backend


def run_all(folder, cells=CELLS, **options):
    """Run a notebook in a kernel of its own; return its bytes as they would be saved."""
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell(cell, id=f"cell-{number}") for number, cell in enumerate(cells)]
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        node, timeout=60, kernel_name="python3", resources=resources, record_timing=False, **options
    ).execute()
    return nbformat.writes(node)


def test_two_run_alls_in_replay_are_the_same_bytes(machine, monkeypatch):
    """Without a service, a login or a network; tools, tables, JSON, history and twins of a question included."""
    monkeypatch.setenv("CODEX_NB_CACHE", "record")
    live = json.loads(run_all(machine.folder))
    asked = len(machine.requests)
    assert asked >= len(TURNS)
    machine.stop()
    (machine.home / "auth.json").unlink()
    monkeypatch.setenv("CODEX_NB_CACHE", "replay")
    first, second = run_all(machine.folder), run_all(machine.folder)
    assert first == second
    assert len(machine.requests) == asked
    replayed = json.loads(first)
    for before, after in zip(live["cells"][2:-1], replayed["cells"][2:-1], strict=True):
        assert [one["data"] for one in after["outputs"]][:1] == [one["data"] for one in before["outputs"]][:1]
        if len(after["outputs"]) > 1:
            assert "replayed" in "".join(after["outputs"][1]["data"]["text/plain"])
    said = replayed["cells"][2]["outputs"][0]["metadata"]["codex_nb"]
    assert said == live["cells"][2]["outputs"][0]["metadata"]["codex_nb"]
    texts = ["".join(cell["outputs"][0]["data"]["text/plain"]) for cell in replayed["cells"][8:11]]
    assert texts == ["Joke one.", "Joke two.", "Because of two."]


def test_the_recording_may_be_shared(machine, monkeypatch):
    """No part of the login, nothing of the account or its quota; and it is no secret of the repository."""
    monkeypatch.setenv("CODEX_NB_CACHE", "record")
    run_all(machine.folder, CELLS[:4])
    (recording,) = (machine.folder / ".codex_nb").glob("*.cache.jsonl")
    written = recording.read_text()
    assert len(written.splitlines()) == 2
    for secret in machine.login["tokens"].values():
        for start in range(0, len(secret) - 16, 16):
            assert secret[start : start + 16] not in written
    for word in ("rate_limits", "prompt_cache_key", "x-codex-primary", "authorization", "turn-state"):
        assert word not in written
    chunks = [chunk for line in written.splitlines() for chunk in json.loads(line)["chunks"]]
    assert len(chunks) > 6
    subprocess.run(["git", "init", "-q"], cwd=machine.folder, check=True)
    seen = subprocess.run(["git", "status", "--short", "-uall"], cwd=machine.folder, check=True, capture_output=True)
    assert recording.name in seen.stdout.decode()


@pytest.fixture
def ask(machine):
    """Return what asks by a recording, outside of IPython."""
    session = codex_nb.connect(machine.url, auth=codex_nb.Bearer("made-up-token"), timeout=5, max_retries=0)
    path = machine.folder / "answers.jsonl"

    def ask(prompt, mode, **options):
        return codex_nb.ask(prompt, cache=f"{mode}:{path}", quiet=True, **options)

    ask.path, ask.backend, ask.session = path, machine, session
    yield ask
    session.close()


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        ("What is a bar?", {}, "input[0].content[0].text changed"),
        ("What is a café?", {"model": "gpt-5.4-mini"}, "model was gpt-5.4, is gpt-5.4-mini"),
        ("What is a café?", {"effort": "high"}, "reasoning.effort was low, is high"),
        ("What is a café?", {"web": True}, "tools[0].type is new"),
        ("What is a café?", {"instructions": "x" * 900}, "instructions changed"),
    ],
)
def test_a_miss_names_what_changed(ask, prompt, options, message):
    """Compared with the closest question; nothing is sent, and no prompt is quoted."""
    ask("Something else entirely, and far away", "record", model="gpt-5.4")
    ask("What is a café?", "record", model="gpt-5.4", effort="low")
    before = len(ask.backend.requests)
    with pytest.raises(codex_nb.CacheMiss) as caught:
        ask(prompt, "replay", **{"model": "gpt-5.4", "effort": "low", **options})
    assert message in caught.value.message
    assert "café" not in caught.value.message
    assert "--cache record" in caught.value.hint
    assert len(caught.value.changed) >= 1
    assert len(ask.backend.requests) == before


def test_replay_without_a_recording_says_so(ask):
    """And writes none."""
    with pytest.raises(codex_nb.CacheMiss, match="Nothing is recorded in"):
        ask("x", "replay")
    assert not ask.path.exists()


def test_what_broke_off_is_not_recorded(ask):
    """A replay never repeats half an answer; a torn last line is passed over, and later ones stand apart from it."""
    ask.backend.inject(Fault.cut_after(6).on("*/responses"))
    with pytest.raises(codex_nb.StreamInterrupted):
        ask("x", "record")
    assert not ask.path.exists()
    first = ask("x", "record")
    with ask.path.open("ab") as file:
        file.write(b'{"key": "torn')
    second = ask("y", "record")
    assert ask("x", "replay").text == first.text
    again = ask("y", "replay")
    assert (again.text, again.replayed, again.quota) == (second.text, True, ())
    assert again.seconds == ask("y", "replay").seconds


def test_replay_is_off_by_option_and_on_by_variable(ask, monkeypatch):
    """The option wins; a path of the variable serves an option without one."""
    monkeypatch.setenv("CODEX_NB_CACHE", f"replay:{ask.path}")
    with pytest.raises(codex_nb.CacheMiss):
        codex_nb.ask("x")
    assert codex_nb.ask("x", cache="off").text
    assert codex_nb.ask("x", cache="record").text
    assert codex_nb.ask("x").replayed
    with pytest.raises(codex_nb.InvalidOption, match="--cache"):
        codex_nb.ask("x", cache="play")


def test_a_dry_run_refuses_a_mistake_too(ask):
    """Or it would be found only when something is sent."""
    with pytest.raises(codex_nb.InvalidOption, match="--cache is 'play'"):
        codex_nb.ask("x", cache="play", dry_run=True)


@pytest.mark.skipif(os.name == "nt", reason="a folder that is worked in stays")
def test_a_working_folder_that_is_gone_is_told(tmp_path, monkeypatch):
    """Where a recording has a place of its own, nothing is missing."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for option, notebook in (("record", None), ("record:answers.jsonl", None)):
        with pytest.raises(codex_nb.InvalidOption, match="working folder is gone"):
            cache_of(option, None, notebook)
    assert cache_of(f"record:{tmp_path / 'a.jsonl'}", None, None).path == tmp_path / "a.jsonl"


def test_where_the_recording_is(tmp_path, monkeypatch):
    """Beside the notebook; where that is not known, all recordings of the working folder are read."""
    beside = cache_of("record", None, str(tmp_path / "sales.ipynb"))
    assert beside.path == tmp_path / ".codex_nb" / "sales.cache.jsonl"
    assert cache_of("record", None, str(tmp_path / "sales.ipynb")) is beside
    assert cache_of(None, None, "x.ipynb") is None
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".codex_nb").mkdir()
    beside.path.touch()
    unknown = cache_of("replay", None, None)
    assert unknown.path.name == "notebook.cache.jsonl"
    assert unknown.sources == [beside.path]


def test_both_faces_record_and_replay(face, make_backend, tmp_path):
    """What is recorded on one is replayed on the other, chunk by chunk, parsed and compacted alike."""
    backend = make_backend(Script.of("One.", "Two."))
    path = tmp_path / "answers.jsonl"

    def both(mode):
        with taped(Cache(mode, path).of_cell("c")):
            return face.answer(backend, streamed=False), face.answer(backend, streamed=True)

    with taped(Cache("record", path).of_cell("c")):
        answers = [face.answer(backend, streamed=streamed) for streamed in (False, True)]
    assert [answer.output_text for answer in answers] == ["One.", "Two."]
    asked = len(backend.requests)
    assert [answer.output_text for answer in both("replay")] == ["Two.", "Two."]
    assert len(backend.requests) == asked


def test_a_plain_process_records_beside_itself(machine, tmp_path):
    """Programs use it too."""
    program = "import codex_nb; print(codex_nb.ask('x').text)"
    outs = []
    for mode in ("record", "replay"):
        env = {**os.environ, "CODEX_NB_CACHE": mode}
        done = subprocess.run(
            [sys.executable, "-c", program], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        outs.append(done.stdout)
    assert outs[0] == outs[1]
    assert re.search(r"café|place", outs[0])
    assert Path(tmp_path / ".codex_nb" / "notebook.cache.jsonl").exists()


def test_files_are_known_by_their_content(ask, tmp_path):
    """A replay uploads nothing; another content of the same name and size is another question."""
    note, data = tmp_path / "note.txt", tmp_path / "data.bin"
    note.write_text("some words")
    data.write_bytes(b"\0one")
    recorded = [ask("x", "record", model="gpt-5.4", file=str(path)).text for path in (note, data)]
    asked = len(ask.backend.requests)
    assert [ask("x", "replay", model="gpt-5.4", file=str(path)).text for path in (note, data)] == recorded
    assert str(ask.backend.url) not in ask.path.read_text()
    data.write_bytes(b"\0two")
    with pytest.raises(codex_nb.CacheMiss, match="file_id changed"):
        ask("x", "replay", model="gpt-5.4", file=str(data))
    assert len(ask.backend.requests) == asked
