"""``--with``, ``--image``, ``--file`` and ``{{…}}`` in a shell of this process, up to what arrives at the backend."""

import matplotlib as mpl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codex_nb
from codex_nb.errors import InvalidOption
from codex_nb.local import LocalBackend, Script
from codex_nb.notebook.names import first_names, split_names
from tests.notebook.shells import run

mpl.use("Agg")

SETUP = """
import matplotlib.pyplot as plt
plt.close("all")
import pandas as pd
sales = pd.DataFrame({"region": ["n", "s"], "email": ["a@example.org", "b@example.org"], "price": [1.5, 2.5]})
tricky = "{{sales}} and {x}"
def total(frame):
    return frame["prise"].sum()
class Basket:
    def add(self, thing):
        return thing
class Broken:
    def __str__(self):
        raise ValueError
    def __getattr__(self, name):
        raise KeyError(name)
broken = Broken()
"""


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    """A scripted backend that the shared session talks to."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=5, max_retries=0)
        yield backend
        session.close()


def sent(shell, backend, cell):
    """Run a cell; return the parts of the message that it sent."""
    before = len(backend.requests)
    _, error, _ = run(shell, cell)
    assert error is None
    assert len(backend.requests) > before
    return backend.requests[-1].body["input"][-1]["content"]


def refused(shell, backend, cell):
    """Run a cell that sends nothing; return its error."""
    before = len(backend.requests)
    _, error, _ = run(shell, cell)
    assert isinstance(error, codex_nb.CodexError)
    assert len(error._render_traceback_()) <= 2
    assert len(backend.requests) == before
    return error


def test_objects_stand_before_the_prompt_in_a_part_of_their_own(shell, backend):
    """A frame, a function, a class and an expression, each under its name; blanks behind commas are no matter."""
    context, prompt = sent(shell, backend, "%%codex -n --with sales, total,Basket,sales['price'].max() -q\nWhy?\n")
    assert prompt == {"type": "input_text", "text": "Why?\n"}
    text = context["text"]
    assert "## sales: pandas DataFrame, 2 rows x 3 columns\n- region: str" in text
    assert '## total: function total\n```python\ndef total(frame):\n    return frame["prise"].sum()\n```' in text
    assert "## Basket: class Basket\n```python\nclass Basket:" in text
    assert text.endswith("## sales['price'].max(): float64\nnp.float64(2.5)")


def test_with_may_be_repeated_and_quoted_and_names_each_object_once(shell, backend):
    """Quotes around all of it are undone, those inside are the expressions'."""
    cell = '%%codex --with "sales[sales.price > 2], total" --with total --with=Basket -q\nx'
    text = sent(shell, backend, cell)[0]["text"]
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## sales[sales.price > 2]: pandas DataFrame, 1 row x 3 columns",
        "## total: function total",
        "## Basket: class Basket",
    ]


def test_a_line_magic_takes_them_too(shell, backend):
    """The prompt begins behind the last name."""
    context, prompt = sent(shell, backend, "%codex ask -q --with sales.shape, total what is it? Say.")
    assert prompt["text"] == "what is it? Say."
    assert "(2, 3)" in context["text"]


def test_a_line_in_a_function_sees_its_names(shell, backend):
    """Those of the notebook are there too, and give way."""
    function = (
        "def ask_about(total, extra):\n    %codex ask -q --with extra -o said {{total}} of {{sales.shape}}, {{extra}}\n"
    )
    context, prompt = sent(shell, backend, f"{function}ask_about(7, 'mine')")
    assert prompt["text"] == "7 of (2, 3), mine"
    assert "## extra: text" in context["text"]
    assert shell.user_ns["said"].prompt == prompt["text"]


def test_a_cell_comes_with_its_source_and_output(shell, backend):
    """By its number, or counted back; what it printed, what it gave, how it failed."""
    number = len(shell.user_ns["In"])
    run(shell, "print('said before')\nsales.head(1)")
    text = sent(shell, backend, f"%%codex -q --with cell:-1,cell:{number}\nx")[0]["text"]
    assert text.count("print('said before')\nsales.head(1)\n```") == 2
    assert text.count("Out[") == 2
    assert "n,a@example.org,1.5" in text
    if hasattr(shell.history_manager, "outputs"):
        assert "said before\nOut[" in text


def test_a_cell_that_never_ran_is_an_error(shell, backend):
    """The message says which ones did."""
    assert "cells 1 to " in refused(shell, backend, "%%codex --with cell:9999\nx").message
    assert "cell:-9999" in refused(shell, backend, "%%codex --with cell:-9999\nx").message
    assert "cell:0" in refused(shell, backend, "%%codex --with cell:0\nx").message


def test_the_last_exception_comes_with_its_cell(shell, backend):
    """A mistyped question in between does not take its place."""
    run(shell, "total(sales)")
    refused(shell, backend, "%%codex --with erorr\nx")
    text = sent(shell, backend, "%%codex -q --with error\nWhy?")[0]["text"]
    assert "## error: exception KeyError\nKeyError: 'prise'" in text
    assert 'in total\n    return frame["prise"].sum()' in text
    assert "The cell:\n```python\ntotal(sales)\n```" in text


def test_figures_and_images_arrive_as_pictures(shell, backend, tmp_path):
    """``fig`` is the present figure; ``--image`` takes variables, expressions, paths and addresses."""
    run(shell, "plt.plot([1, 2]); chart = plt.gcf()")
    pixels = tmp_path / "pixels.png"
    shell.user_ns["chart"].savefig(pixels)
    shell.user_ns["where"] = str(pixels)
    cell = f"%%codex -q --with fig --image chart --image chart.axes[0] --image {pixels} --image where\nx"
    parts = sent(shell, backend, cell)
    assert [part["text"] for part in parts[:-1:2]] == [
        f"Picture {name}:" for name in ("fig", "chart", "chart.axes[0]", "pixels.png", "where")
    ]
    assert all(part["image_url"].startswith("data:image/png;base64,") for part in parts[1:-1:2])
    assert parts[7]["image_url"] == parts[9]["image_url"]
    run(shell, "plt.close('all')")
    parts = sent(shell, backend, "%%codex -q --image https://example.org/a.png\nx")
    assert parts[1] == {"type": "input_image", "image_url": "https://example.org/a.png"}


def test_files_are_uploaded_once_and_named(shell, backend, tmp_path):
    """A short text is quoted; the same file again is the same bytes in the request, and no second upload."""
    (tmp_path / "notes.txt").write_text("read me")
    (tmp_path / "data.bin").write_bytes(bytes(100))
    shell.user_ns["data_path"] = tmp_path / "data.bin"
    cell = f"%%codex -q --file {tmp_path}/notes.txt --file data_path\nx"
    text, label, file, _prompt = first = sent(shell, backend, cell)
    assert text["text"].startswith("File notes.txt (7 bytes), sediment://")
    assert text["text"].endswith(":\n```\nread me\n```")
    assert label["text"] == "File data.bin (100 bytes):"
    assert file["type"] == "input_file"
    assert file["file_id"].startswith("sediment://file_")
    before = len(backend.requests)
    assert sent(shell, backend, cell) == first
    assert len(backend.requests) == before + 1


def test_a_replay_needs_no_upload(shell, backend, tmp_path, monkeypatch):
    """What was recorded with files is found again by what stands in them, without a service."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("a text to replay")
    (tmp_path / "data.bin").write_bytes(b"\0replay")
    cell = "%%codex -q -n --file notes.txt --file data.bin --cache {}:tape.jsonl\nx"
    sent(shell, backend, cell.format("record"))
    before, answer = len(backend.requests), shell.user_ns["_codex"].text
    assert run(shell, cell.format("replay")).error is None
    assert len(backend.requests) == before
    assert shell.user_ns["_codex"].text == answer
    (tmp_path / "data.bin").write_bytes(b"\0changed")
    refused(shell, backend, cell.format("replay"))


def test_a_dry_run_uploads_nothing(shell, backend, tmp_path):
    """The file is looked at, and stays where it is."""
    (tmp_path / "secret.bin").write_bytes(b"\0secret")
    before = len(backend.requests)
    _, error, _ = run(shell, f"%%codex --dry-run -o seen --with sales --file {tmp_path}/secret.bin\nx")
    assert error is None
    assert len(backend.requests) == before
    seen = shell.user_ns["seen"]
    assert seen.tokens["context"] > 20
    assert "## sales" in str(seen.request["input"])


def test_the_turn_keeps_what_it_was_asked_about(shell, backend):
    """Later questions send it along; the context is not asked again, and not lost."""
    first = sent(shell, backend, "%%codex -q -n -c kept --with sales\nx")
    run(shell, "%%codex -q -c kept\nand?")
    items = backend.requests[-1].body["input"]
    assert items[0]["content"] == first
    assert items[-1]["content"] == [{"type": "input_text", "text": "and?\n"}] or len(items[-1]["content"]) == 1


def test_private_columns_do_not_leave_in_any_way(shell, backend):
    """Not by a frame, an old cell's result, a value in the prompt, or a tool's result."""
    shown = len(shell.user_ns["In"])
    run(shell, "sales")
    run(shell, "print(sales.to_csv())")
    with codex_nb.private("email"):
        cell = f"%%codex -q --turns 0 --with sales,cell:{shown},cell:-1\n{{{{sales}}}} {{{{sales['email']}}}}"
        parts = sent(shell, backend, cell)
    assert "example.org" not in str(parts)
    assert "<private str>" in str(parts)
    assert "example.org" in str(sent(shell, backend, "%%codex -q --with sales\nx"))


def test_the_budget_is_a_setting(shell, backend):
    """``%config CodexMagics.context_tokens`` bounds all that is described."""
    shell.user_ns["words"] = "word " * 20_000
    long = sent(shell, backend, "%%codex -q --turns 0 --with words\nx")[0]["text"]
    run(shell, "%config CodexMagics.context_tokens = 300")
    short = sent(shell, backend, "%%codex -q --turns 0 --with words\nx")[0]["text"]
    run(shell, "%config CodexMagics.context_tokens = 8000")
    assert len(short) < 2_000
    assert len(long) > 30_000


def test_ask_takes_objects_and_names(shell, backend, tmp_path):
    """As the magic does; an object is called what its variable is."""
    (tmp_path / "a.txt").write_text("read me")
    namespace = shell.user_ns
    namespace["frame_of_mine"] = frame = pd.DataFrame({"a": [1]})
    codex_nb.ask("x", with_=[frame, "total"], file=tmp_path / "a.txt", quiet=True)
    texts = [part["text"] for part in backend.requests[-1].body["input"][-1]["content"]]
    assert "## frame_of_mine: pandas DataFrame" in texts[0]
    assert "## total: function" in texts[0]
    assert texts[1].startswith("File a.txt")
    codex_nb.ask("x", with_={"limits": [1, 2]}, quiet=True)
    assert "## limits: list, 2 items\n[1, 2]" in str(backend.requests[-1].body["input"][-1]["content"][0]["text"])


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--with salse", "no variable 'salse'", "sales"),
        ("--with sales,totl", "no variable 'totl'", "total"),
        ("--with sales['prize']", "KeyError", ""),
        ("--with", "names nothing", "cell:-1"),
        ("--with sales[", "not closed", "quotes"),
        ("--image salse", "--image salse: there is no variable", "sales"),
        ("--image plot.png", "plot.png is not there", "path"),
        ("--image total", "is of type function", "path"),
        ("--image broken", "broken cannot be made into a picture", "path"),
        ("--image data:image/png;base64,xx", "cannot be made into a picture", "path"),
        ("-i @broken", "its str fails", "part"),
        ("-i @", "-i @ names nothing", "variable"),
        ("-i @salse", "-i @salse: there is no variable", "sales"),
        ("-t totl", "-t totl: there is no variable", "total"),
        ("-s salse", "-s salse: there is no variable", "sales"),
        ("--image", "--image names nothing", "variable"),
        ("--file nothing.txt", "nothing.txt is not there", "path"),
        ("--with fig", "no figure", "plt.gcf()"),
    ],
)
def test_a_mistake_names_what_is_close_and_sends_nothing(shell, backend, line, message, hint):
    """One line, and the way out."""
    error = refused(shell, backend, f"%%codex {line}\nx")
    assert message in error.message
    assert hint in error.hint


VERBATIM = [
    '{"a": {"b": [1, {"c": {}}]}, "d": "{}"}',
    "{'a': {'b': 1}} and {x!r:>{width}} and {{}}",
    "f\"{name!r:>{width}} {{literal}} {d['k']}\"".replace("{{literal}}", "{ {literal} }"),
    r"\frac{a}{b} \sum_{i=1}^{n} x_{i}^{2} \begin{cases} 1 \\ 2 \end{cases} $\mathbb{R}$",
    "const f = <T extends {a: {b: number}}>(x: T) => `${x.a.b} ${'}'}`;\ntype A = {[k in K]: {}};",
    "%s %d %(name)s $HOME ${x} `ls` !ls %time ?sales -m x --with y # not a comment",
    'text\twith tabs, "quotes", \\backslashes\\, \u00e9\u4e2d\U0001f600, and\n\n\n  blank lines  \n',
]


@pytest.mark.parametrize("body", VERBATIM)
def test_a_body_arrives_verbatim(shell, backend, body):
    """Every byte below the magic's line, through IPython's own transformations, to the backend."""
    [part] = sent(shell, backend, f"%%codex -q --turns 0\n{body}\n")
    assert part["text"] == f"{body}\n"


pieces = st.sampled_from(
    ['{"a": ', "}", "{", "{x}", "\\frac{a}{b}", "${y}", "f'{z!r}'", "`", '"', "\n", "%", "$", "\\"]
)
bodies = st.lists(pieces | st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1).map("".join)


@settings(max_examples=40)
@given(bodies.filter(lambda body: body.strip() and "{{" not in body))
def test_any_body_without_double_braces_arrives_verbatim(shell, backend, body):
    """JSON, dicts, f-strings, LaTeX and TypeScript in any mixture, through the real magic and the real wire."""
    shell.run_cell_magic("codex", "-q --turns 0", body)
    assert backend.requests[-1].body["input"][-1]["content"] == [{"type": "input_text", "text": body}]


def test_values_are_put_in_once(shell, backend):
    """What a value holds is not expanded; what stands around it is not touched; a frame is described."""
    [part] = sent(shell, backend, '%%codex -q\n{"a": "{{tricky}}", "b": {{ {"n": {"m": 1}}["n"]["m"] }}}\n')
    assert part["text"] == '{"a": "{{sales}} and {x}", "b": 1}\n'
    [part] = sent(shell, backend, "%%codex -q\n{{sales}}\n")
    assert part["text"].startswith("pandas DataFrame, 2 rows x 3 columns\n- region: str")
    error = refused(shell, backend, "%%codex\n{{salse}}")
    assert error.message == "{{salse}}: there is no variable 'salse'."
    assert "sales" in error.hint


@pytest.mark.parametrize(
    ("text", "names", "rest"),
    [
        ("a,b c", ["a", "b"], "c"),
        ("a, b -q", ["a", "b"], "-q"),
        ("f(x, 'y, z'), d['a b'] Tell me, please", ["f(x, 'y, z')", "d['a b']"], "Tell me, please"),
        ("'a, b' -q", ["a", "b"], "-q"),
        ("cell:-1,error", ["cell:-1", "error"], ""),
        ("", [], ""),
        (",", [], ""),
    ],
)
def test_a_list_of_names_ends_at_a_blank_that_follows_no_comma(text, names, rest):
    """Brackets and quotes hold together."""
    first, found = first_names(text)
    assert (split_names(first), found) == (names, rest)


@given(st.text("ab,'\"([{}]) \n", max_size=30))
def test_any_line_is_split_without_loss(text):
    """Or it is an error that says what is open."""
    try:
        first, rest = first_names(text)
    except InvalidOption:
        assert any(mark in text for mark in "'\"([{")
        return
    kept = "".join((first + rest).split())
    assert kept in {"".join(text.split()), "".join(text[1:].replace(text[0], "", 1).split()) if text else ""}
