"""The front door: every public name is there, and nothing heavy comes in before one is touched."""

import json
import subprocess
import sys

import codex_nb
from codex_nb import errors

HEAVY = ["httpx", "pandas", "pydantic", "ipywidgets", "anywidget", "starlette", "uvicorn"]


def run(code):
    """Run code in a fresh interpreter; return the JSON that it prints last."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_all_is_sorted_and_complete():
    """Each name exists, each error is public, and ``dir`` shows them."""
    assert codex_nb.__all__ == sorted(codex_nb.__all__)
    assert set(errors.__all__) <= set(codex_nb.__all__)
    assert errors.__all__ == sorted(errors.__all__)
    assert set(codex_nb.__all__) <= set(dir(codex_nb))
    for name in codex_nb.__all__:
        assert getattr(codex_nb, name) is not None


def test_every_error_is_drawn_in_the_tree():
    """The module's docstring is the map of the errors."""
    for name in errors.__all__:
        assert name in errors.__doc__


def test_names_come_one_by_one_in_any_order():
    """A name does not depend on another one having been touched, and rooms do not hide functions."""
    script = """
import json, sys
import codex_nb
codex_nb.Session
from codex_nb import session, ask, frames
print(json.dumps([callable(session), callable(ask), callable(frames.models), codex_nb.session is session]))
"""
    assert run(script) == [True, True, True, True]


def test_import_and_load_ext_bring_in_nothing_heavy():
    """A notebook that only loads the extension pays for IPython alone."""
    script = f"""
import json, sys
from IPython.core.interactiveshell import InteractiveShell
before = [m for m in {HEAVY} if m in sys.modules]
import codex_nb
InteractiveShell.instance().run_line_magic("load_ext", "codex_nb")
print(json.dumps([before, [m for m in {HEAVY} if m in sys.modules]]))
"""
    assert run(script) == [[], []]


def test_importing_the_embedded_backend_is_light():
    """The web server is imported when a backend starts."""
    assert run(f"import json, sys, codex_nb.local; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))") == []
