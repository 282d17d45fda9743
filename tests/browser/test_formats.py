"""Pages and code of a model in a front end: a page acts in its frame and nowhere else, code can be taken along."""

import os
from pathlib import Path

from codex_nb.local import Turn
from tests.browser.test_answers import backend, notebook  # noqa: F401 - a fixture
from tests.browser.test_safe_markdown import counter  # noqa: F401 - a fixture

PAGE = """<!doctype html><html><body style="font-family: sans-serif"><h1 id=t>waiting</h1>
<img src="ORIGIN/image"><link rel=stylesheet href="ORIGIN/style"><script src="ORIGIN/script"></script>
<iframe src="ORIGIN/frame"></iframe><form id=f action="ORIGIN/form" target=_top><button>b</button></form>
<script>
const tried = [];
const attempt = (name, act) => { try { act(); tried.push(name); } catch (e) { tried.push(name + ' refused'); } };
attempt('parent', () => { window.parent.parent.PWNED = 1; });
attempt('top', () => { window.top.document.title = 'PWNED'; });
attempt('leave', () => { window.top.location = 'ORIGIN/top'; });
attempt('storage', () => localStorage.getItem('x'));
attempt('open', () => window.open('ORIGIN/window'));
attempt('beacon', () => navigator.sendBeacon('ORIGIN/beacon', 'x'));
attempt('socket', () => new WebSocket('ORIGIN/socket'.replace('http', 'ws')));
attempt('submit', () => document.getElementById('f').submit());
attempt('worker', () => new Worker('data:text/javascript,fetch("ORIGIN/worker")'));
fetch('ORIGIN/fetch').catch(() => tried.push('fetch refused')).finally(() => {
  document.getElementById('t').textContent = 'ran ' + 6 * 7;
  document.body.append(tried.join(', '));
  setTimeout(() => {
    const link = document.createElement('a'); link.href = 'ORIGIN/link'; link.ping = 'ORIGIN/ping';
    document.body.append(link); link.click();
    window.parent.location = 'ORIGIN/outer'; location.href = 'ORIGIN/navigated';
  }, 3000);
});
</script></body></html>"""
CODE = 'Two lines:\n\n```python\nx = "<b>&`"\n\nprint(x)\n```\n'


def test_pages_stay_in_their_frame_and_code_is_copied(open_notebook, backend, counter, tmp_path):  # noqa: F811
    """A script runs, and reaches neither the page nor a network; code goes to a new cell and to the clipboard."""
    backend.add(Turn(text=PAGE.replace("ORIGIN", counter.origin)), Turn(text=CODE), Turn(text='{"a": {"b": [1, 2]}}'))
    cells = ("%%codex -f html\nA page", "%%codex -f code\nCode", "%%codex -f json\nJSON", "%%codex -f text\nText")
    backend.add(Turn(text="*plain* <b>text</b> " * 40))
    opened = open_notebook(notebook(backend, *cells), "formats")
    page = opened.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.run(0)
    opened.run(1)
    inner = page.frame_locator(".jp-OutputArea-output iframe").frame_locator("iframe")
    inner.locator("h1", has_text="ran 42").wait_for(timeout=60_000)
    assert page.locator(".jp-OutputArea-output iframe").first.bounding_box()["height"] < 700
    folder = Path(os.environ.get("CODEX_NB_PICTURES") or tmp_path)
    page.screenshot(path=folder / "html.png")
    page.wait_for_timeout(4_000)
    assert opened.evaluate("return [window.PWNED ?? null, document.title.includes('PWNED')]") == [None, False]
    assert counter.asked == []
    opened.run(2)
    opened.ready()
    assert opened.evaluate("return panel.content.widgets[3].model.sharedModel.source") == 'x = "<b>&`"\n\nprint(x)'
    page.locator(".codex-nb-copy").click()
    page.locator(".codex-nb-copy", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == 'x = "<b>&`"\n\nprint(x)'
    opened.run(4)
    opened.run(5)
    opened.ready()
    page.locator(".jp-RenderedJSON, .jp-OutputArea-output.jp-RenderedJSON").first.wait_for()
    page.locator(".jp-RenderedHTML pre", has_text="*plain* <b>text</b>").wait_for()
    page.screenshot(path=folder / "formats.png")
    opened.save()
    again = open_notebook(None, "formats")
    inner = again.page.frame_locator(".jp-OutputArea-output iframe").frame_locator("iframe")
    inner.locator("h1", has_text="ran 42").wait_for(timeout=60_000)
    assert again.outputs(1)[0]["metadata"]["codex_nb"]["status"] == "completed"
    assert counter.asked == []
    raw = again.page.context.new_page()  # the same page is not harmless by itself
    raw.set_content(PAGE.replace("ORIGIN", counter.origin), wait_until="commit")
    raw.wait_for_timeout(1_000)
    assert counter.asked
