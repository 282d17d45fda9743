"""The front door: every public name is there, and nothing heavy comes in before one is touched."""

import json
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("first", ["load_ext", "pandas"])
def test_frames_have_the_accessor_once_the_extension_is_loaded(first):
    """Whether pandas comes before or after; what is behind it is imported when it is touched, without a warning."""
    steps = {
        "load_ext": 'InteractiveShell.instance().run_line_magic("load_ext", "codex_nb")',
        "pandas": "import pandas",
    }
    script = f"""
import json, sys, warnings
warnings.simplefilter("error")
from IPython.core.interactiveshell import InteractiveShell
{steps.pop(first)}
{steps.popitem()[1]}
light = "httpx" not in sys.modules
found = [type(one.codex).__name__ for one in (pandas.DataFrame(), pandas.Series([1]))]
InteractiveShell.instance().run_line_magic("reload_ext", "codex_nb")
waiting = [finder for finder in sys.meta_path if type(finder).__module__.startswith("codex_nb")]
print(json.dumps([light, found, callable(pandas.DataFrame.codex.map), len(waiting)]))
"""
    assert run(script) == [True, ["CodexAccessor", "CodexColumnAccessor"], True, 0]


def test_the_frames_themselves_may_come_after_the_extension():
    """Their accessors take the place, without a warning; an extension that is unloaded leaves nothing behind."""
    script = """
import json, sys, warnings
warnings.simplefilter("error")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "codex_nb")
shell.run_line_magic("unload_ext", "codex_nb")
import pandas
gone = not hasattr(pandas.DataFrame, "codex")
shell.run_line_magic("load_ext", "codex_nb")
from codex_nb import frames
print(json.dumps([gone, type(pandas.DataFrame().codex).__name__, type(pandas.Series([1]).codex).__name__]))
"""
    assert run(script) == [True, "CodexAccessor", "CodexColumnAccessor"]


def test_importing_the_embedded_backend_is_light():
    """The web server is imported when a backend starts."""
    assert run(f"import json, sys, codex_nb.local; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))") == []
