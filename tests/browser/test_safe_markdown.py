"""What a model writes cannot act in a real front end, and still looks like Markdown."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest

from codex_nb.safe_markdown import safe_markdown
from tests.hostile import documents, payloads

SHOWCASE = r"""# Showcase

## Text

A sentence such as if a < b && c > d stays as typed, costs $5 or $10, and `x < y` is code.
There is **strong**, *emphasis*, ~~gone~~, H<sub>2</sub>O, a [link](https://example.org/a_(b)?c=d&e=f "title"),
`` a`b `` and C:\path. An image is a link: ![diagram](https://example.org/d.png).

- one
  - nested with `code`
    1. deeper
- [x] done
- [ ] to do

> A quote with **strong** text
> in two lines.

| name | code | value |
|:-----|:----:|------:|
| first | `a \| b` | $x^2$ |
| second | `<tag>` | 12 |

1. First

   ```python
   def f(x: int) -> str:
       return f"<b>{x}</b>" if x < 3 else "&amp;"
   ```

2. Second

Inline $a < b$ and \(\alpha_1 \le \beta\), then a block:

$$
\int_0^1 x^2\,dx = \frac{1}{3}
$$

\begin{align}
y &= m x + b \\
z &= \sqrt{y}
\end{align}

```mermaid
graph LR
  A --> B
```

    indented < code
"""


class Counter(ThreadingHTTPServer):
    """A loopback server that notes what is asked of it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []
        self.origin = f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """Nothing, for every request."""

    def do_GET(self):
        """Note the path."""
        self.server.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        """Stay quiet."""


@pytest.fixture
def counter():
    """A server that payloads would reach."""
    with Counter() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def notebook(count):
    """Return a notebook whose cells show that many chunks of texts as Markdown."""
    first = "import json\nfrom IPython.display import display\nchunks = json.load(open('texts.json'))"
    show = "for text in chunks[{}]:\n    display({{'text/markdown': text}}, raw=True)"
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell(source) for source in (first, *map(show.format, range(count)))]
    return node


ACT = """
const root = panel.content.node;
for (const link of root.querySelectorAll('.jp-RenderedMarkdown a')) {
    if (!/^(https?:|mailto:|#)/.test(link.getAttribute('href') ?? '#')) return `link ${link.outerHTML}`;
}
for (const node of root.querySelectorAll('.jp-RenderedMarkdown *')) {
    for (const {name, value} of node.attributes) {
        if (name.startsWith('on') || /^\\s*javascript:/i.test(value) || (name === 'style' && /url\\(/i.test(value)))
            return `attribute ${name}=${value}`;
    }
    if (/^(script|img|iframe|object|embed|video|audio|form|link|meta|base|style)$/.test(node.localName))
        return node.outerHTML;
}
return window.PWNED === undefined ? '' : 'PWNED';
"""


def show(open_notebook, server, texts, name, front):
    """Show texts as trusted Markdown; return the opened notebook, the dialogs and the foreign requests."""
    chunks = [texts[i : i + 45] for i in range(0, len(texts), 45)]  # JupyterLab folds a cell's outputs after the 50th
    (server.folder / "texts.json").write_text(json.dumps(chunks))
    opened = open_notebook(notebook(len(chunks)), name, front=front)
    dialogs, foreign = [], []
    opened.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    opened.page.on(
        "request",
        lambda request: None if request.url.startswith((server.url, "data:", "blob:")) else foreign.append(request.url),
    )
    for cell in range(len(chunks) + 1):
        opened.run(cell)
    opened.ready()
    return opened, dialogs, foreign


def all_rendered(opened, count):
    """Wait until every output is in the page and formulas had their turn."""
    opened.page.wait_for_function(
        "n => document.querySelectorAll('.jp-OutputArea-output.jp-RenderedMarkdown').length >= n",
        arg=count,
    )
    opened.page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-RenderedMarkdown')].some(n => n.querySelector('mjx-container'))"
    )
    opened.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_nothing_acts(open_notebook, server, counter, front):
    """No payload and no random document runs a script, opens a dialog or sends a request."""
    texts = [text for _, text in payloads(counter.origin)] + documents(1_000, seed=5, origin=counter.origin)
    safe = [*map(safe_markdown, texts), "$x^2$"]
    shown = ["\n\n".join(safe[i : i + 6]) for i in range(0, len(safe), 6)]
    opened, dialogs, foreign = show(open_notebook, server, shown, f"safe-{front}", front)
    all_rendered(opened, len(shown))
    assert opened.evaluate(ACT) == ""
    assert (dialogs, foreign, counter.asked) == ([], [], [])


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_without_the_filter_payloads_act(open_notebook, server, counter, front):
    """The same page is not harmless without the filter, so the test above can fail."""
    wanted = {"image with a handler", "remote image", "image", "script", "svg", "formula in an address"}
    texts = [text for name, text in payloads(counter.origin) if name in wanted]
    opened, _, foreign = show(open_notebook, server, texts, f"raw-{front}", front)
    opened.page.wait_for_function("() => window.PWNED === 1", timeout=60_000)
    opened.page.wait_for_load_state("networkidle")
    assert counter.asked
    assert any(url.startswith(counter.origin) for url in foreign)
    assert opened.evaluate(ACT)


@pytest.mark.parametrize(("front", "dark"), [("lab", False), ("lab", True), ("notebook", False)])
def test_plain_markdown_looks_as_meant(open_notebook, tmp_path, front, dark):
    """Headings, lists, tables, code, formulas and links are what a reader expects."""
    node = nbformat.v4.new_notebook()
    source = f"from IPython.display import Markdown\nMarkdown({safe_markdown(SHOWCASE)!r})"
    node.cells = [nbformat.v4.new_code_cell(source, metadata={"jupyter": {"source_hidden": True}})]
    opened = open_notebook(node, f"showcase-{front}-{dark}", front=front, dark=dark)
    opened.run(0)
    shown = opened.page.locator(".jp-OutputArea-output.jp-RenderedMarkdown")
    shown.locator("mjx-container").nth(4).wait_for()
    assert shown.locator("h1, h2").count() == 2
    assert shown.locator("ul ul ol li").count() == 1
    assert shown.locator("input[type=checkbox]").count() == 2
    assert shown.locator("table td code").all_inner_texts() == ["a | b", "<tag>"]
    assert 'return f"<b>{x}</b>" if x < 3 else "&amp;"' in shown.locator("pre").first.inner_text()
    assert shown.locator("blockquote strong").count() == 1
    assert shown.locator("mjx-container").count() == 5
    assert shown.locator("mjx-merror, img, .jp-Mermaid").count() == 0
    assert shown.locator("a[href^='https://example.org/']").count() == 2
    text = shown.inner_text()
    assert "if a < b && c > d stays as typed, costs $5 or $10, and x < y is code" in text
    assert r"C:\path" in text
    assert "indented < code" in text
    folder = Path(os.environ.get("CODEX_NB_PICTURES") or tmp_path)
    opened.page.set_viewport_size({"width": 1100, "height": 1900})
    opened.page.screenshot(path=folder / f"markdown-{front}-{'dark' if dark else 'light'}.png")
