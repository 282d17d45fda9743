"""Tab on the line of a magic, in the shell's own completer and in a kernel."""

import time
import warnings

import pytest
from IPython.core.completer import provisionalcompleter
from jupyter_client.manager import start_new_kernel

import codex_nb
from codex_nb.client import default
from codex_nb.local import Fault, LocalBackend, Script
from codex_nb.notebook import values
from codex_nb.notebook.complete import complete

SETUP = """
import pandas as pd, json as module
sales = pd.DataFrame({"a": [1]})
rules = "Be brief."
class City: pass
def lookup(x): return x
"""


@pytest.fixture
def backend():
    """A backend whose list of models is known already."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up"), max_retries=0)
        session.models.list()
        yield backend
        session.close()


def offered(shell, line):
    """Return what the shell's completer offers for a line, by the old interface and the new one."""
    with warnings.catch_warnings(action="ignore"):  # the old interface is what the kernel has without jedi
        fragment, matches = shell.complete("", line, len(line))
    with provisionalcompleter():
        found = list(shell.Completer.completions(line, len(line)))
    assert sorted({each.text for each in found}) == sorted(set(matches))
    assert all(line[each.start :] == fragment for each in found)
    return [each.text for each in found]


@pytest.mark.parametrize("jedi", [True, False])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%%codex --mod", ["--model"]),
        ("%%codex --ver", ["--verbosity"]),
        ("%%codex -m gpt-5.", ["gpt-5.5", "gpt-5.4"]),
        ("%%codex --model=gpt-5.5", ["gpt-5.5"]),
        ("%%codex -m gpt-5.4/", ["gpt-5.4/low", "gpt-5.4/medium", "gpt-5.4/high", "gpt-5.4/xhigh"]),
        ("%%codex -m gpt-6.1-sol -e m", ["medium", "max"]),
        ("%%codex -m gpt-5.4 -e m", ["medium"]),
        ("%%codex --tier ", ["priority"]),
        ("%codex_transcribe -r ", ["codex", "platform", "realtime", "local"]),
        ("%codex_transcribe talk.wav --route codex,r", ["realtime"]),
        ("%codex_transcribe --engine sp", ["sphinx"]),
        ("%%codex --verbosity ", ["low", "medium", "high"]),
        ("%%codex --approve=al", ["always"]),
        ("%%codex plan << --no-s", ["--no-stream"]),
        ("%%codex -t ", ["lookup"]),
        ("%%codex -t lookup -t l", ["lookup"]),
        ("%%codex -s ", ["City", "sales"]),
        ("%%codex -i @", ["@rules"]),
        ("%%codex -o sa", ["sales"]),
        ("%codex sta", ["status"]),
        ("x = %codex cha", ["chats"]),
        ("%codex login --", ["--help", "--device", "--no-browser", "--paste"]),
        ("%codex use ", ["chatgpt", "local", "http://127.0.0.1:"]),
        ("%codex_transcribe talk.m4a --lan", ["--language"]),
        ("%codex ask -m gpt-5.4 --ver", ["--verbosity"]),
    ],
)
def test_what_fits_is_offered_and_nothing_else(shell, backend, jedi, line, expected):
    """Options, values and names, with jedi and without it; what IPython would offer besides does not stand between."""
    shell.Completer.use_jedi = jedi
    assert offered(shell, line) == expected


def test_every_option_and_command_is_offered(shell, backend):
    """Each by its long name at first; an option that was given is not offered again."""
    options = offered(shell, "%%codex ")
    assert {"--model", "--chat", "--new", "--schema", "--out", "--help"} <= set(options)
    assert all(name.startswith("--") for name in options)
    assert "--model" not in offered(shell, "%%codex -m gpt-5.4 ")
    assert "-m" in offered(shell, "%%codex -")
    commands = offered(shell, "%codex ")
    assert {"ask", "status", "models", "usage", "chats", "last"} <= set(commands)


def test_chats_of_the_notebook_are_offered(shell, backend):
    """By the names that were used."""
    shell.run_cell("%%codex -q -c plans\nx")
    assert offered(shell, "%%codex -c p") == ["plans"]


@pytest.mark.parametrize(
    "line",
    [
        "%codex ask what is sal",
        "%%codex -i 'an open quote sal",
        "print(1) # %codex sta",
        "%codexx sta",
        "%%codex",
        "%codex nothing --m",
        "text = 'a' % sal",
    ],
)
def test_prose_and_python_are_left_alone(shell, backend, line):
    """There IPython's own completion goes on."""
    assert complete(shell, line) == ("", [])


def test_a_second_line_is_not_the_magics(shell, backend):
    """The body of a cell completes as ever."""
    text = "%%codex\n{{sal"
    with provisionalcompleter():
        assert "sales" in [each.text for each in shell.Completer.completions(text, len(text))]


def test_models_are_asked_for_beside_the_typing(shell, monkeypatch):
    """A service that does not answer holds nothing up; its list is there at a later Tab."""
    monkeypatch.setattr(values, "_asked", -values.PAUSE)
    with LocalBackend(Script(faults=[Fault(path="*/models", stall=1.0)])) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up"), max_retries=0)
        assert complete(shell, "%%codex -m gpt-5.4") == ("gpt-5.4", [])
        deadline = time.monotonic() + 20
        while session.models.known is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert offered(shell, "%%codex -m gpt-5.4") == ["gpt-5.4"]
        assert [request.path for request in backend.requests].count("/backend-api/codex/models") == 1
        session.close()


def test_a_list_that_cannot_be_read_is_not_asked_for_at_each_key(shell, monkeypatch):
    """Efforts have words of their own then."""
    monkeypatch.setattr(values, "_asked", -values.PAUSE)
    with LocalBackend(Script(faults=[Fault.server_error(500, times=None, path="*/models")])) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up"), max_retries=0)
        for _ in range(5):
            assert complete(shell, "%%codex -m g") == ("g", [])
            while values._asking.locked():
                time.sleep(0.01)
        assert len(backend.requests) == 1
        assert [offer.text for offer in complete(shell, "%%codex -e ")[1]] == ["low", "medium", "high", "xhigh"]
        session.close()


def test_tab_opens_no_embedded_backend(shell, monkeypatch):
    """A model takes a while to load: that is not for a key press to decide."""
    monkeypatch.setattr(values, "_asked", -values.PAUSE)
    monkeypatch.setattr(default, "_shared", None)
    monkeypatch.setenv("CODEX_NB_BACKEND", "local")
    assert complete(shell, "%%codex -m g") == ("g", [])
    assert default._shared is None


def test_paths_are_offered_for_files(tmp_path):
    """Folders with a slash, hidden ones only when they are asked for."""
    from codex_nb.notebook.complete import Line

    (tmp_path / "notes.txt").touch()
    (tmp_path / "night").mkdir()
    (tmp_path / ".hidden").touch()
    found = [offer.text for offer in values.VALUES["--file"](Line(None, [], f"{tmp_path}/"))]
    assert found == [f"{tmp_path}/night/", f"{tmp_path}/notes.txt"]


def test_reload_leaves_nothing_twice_and_unload_nothing_at_all(shell):
    """Magics, configuration, matcher, hooks and readers of cells."""

    def things():
        matchers = [getattr(each, "matcher_identifier", None) for each in shell.Completer.custom_matchers]
        hooks = [each for hooks in shell.events.callbacks.values() for each in hooks if "codex" in str(each.__module__)]
        magics = [name for kind in ("line", "cell") for name in shell.magics_manager.magics[kind] if "codex" in name]
        own = [one for one in shell.configurables if type(one).__name__ == "CodexMagics"]
        cells = shell.input_transformer_manager
        readers = [each for each in (*cells.line_transforms, *cells.token_transformers) if "codex" in each.__module__]
        return matchers.count("codex_nb"), len(hooks), len(magics), len(own), len(readers)

    once = things()
    assert once[0] == once[3] == 1
    assert once[4] == 2
    for _ in range(3):
        shell.run_line_magic("reload_ext", "codex_nb")
        assert things() == once
    shell.run_line_magic("unload_ext", "codex_nb")
    assert things() == (0, 0, 0, 0, 0)
    assert "--model" not in offered(shell, "%%codex --mod")
    shell.run_line_magic("load_ext", "codex_nb")
    assert things() == once


def test_a_kernel_completes_as_well():
    """What a front end gets when Tab is pressed: the fragment's place, the names and what they are."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        with LocalBackend(Script()) as backend:
            client.execute(
                f"%load_ext codex_nb\nimport codex_nb\ncodex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('x'))"
                ".models.list();",
                reply=True,
                timeout=30,
            )
            line = "%%codex -m gpt-5.4 --verb"
            reply = client.complete(line + "\nHow?", len(line), reply=True, timeout=30)["content"]
            assert (reply["matches"], reply["cursor_start"], reply["cursor_end"]) == (["--verbosity"], 19, len(line))
            assert reply["metadata"]["_jupyter_types_experimental"][0]["type"] == "option"
            line = "%%codex -m gpt-5.4/h"
            assert client.complete(line, len(line), reply=True, timeout=30)["content"]["matches"] == ["gpt-5.4/high"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
