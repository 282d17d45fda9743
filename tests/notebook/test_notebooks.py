"""Notebooks run to their end, as nbclient, nbconvert and papermill run them."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from codex_nb.local import Fault, LocalBackend, Script, Turn
from tests.requirements_gate import missing_model, require

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def execute(cells, tmp_path, **options):
    """Run cells in a kernel of their own and return the notebook."""
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    NotebookClient(
        node, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}, **options
    ).execute()
    return node


@pytest.fixture
def backend(monkeypatch, tmp_path):
    """A scripted backend that a fresh kernel is signed in to, by environment and login file alone."""
    with LocalBackend(Script()) as backend:
        login = backend.auth_json()
        (tmp_path / "auth.json").write_text(json.dumps(login))
        monkeypatch.setenv("CODEX_HOME", str(tmp_path))
        monkeypatch.setenv("CODEX_NB_BACKEND", backend.url)
        backend.login = login["tokens"]
        yield backend


def test_an_executed_notebook_holds_the_whole_answer_and_no_widget(backend, tmp_path):
    """Nobody is there to press a button, so none is made; the text is all there."""
    text = "word " * 3_000
    backend.add(Turn(text=[text[i : i + 7] for i in range(0, len(text), 7)]))
    node = execute(["%load_ext codex_nb", "%%codex -o a\nx", "len(a.text)"], tmp_path)
    answer, line = node.cells[1].outputs
    assert answer.data["text/plain"] == text
    assert answer.data["text/markdown"].count("word") == 3_000
    assert set(line.data) == {"text/html", "text/plain"}
    assert node.cells[2].outputs[0].data["text/plain"] == "15000"
    assert "widgets" not in node.metadata


def test_an_executed_notebook_holds_no_byte_of_a_token(backend, tmp_path):
    """Not in an answer's output, an error, a repr, a log or a traceback, even when the service quotes it."""
    token = backend.login["access_token"]
    backend.inject(
        Fault.reply(401, {"detail": f"Could not parse {token}"}, times=2),
        Fault.reply(400, {"error": {"message": f"bad header Bearer {token}", "type": "invalid_request_error"}}),
        Fault.reply(200, {"error": {"message": f"you sent {token}"}}),
        Fault.reply(500, token, times=3),
    )
    error = json.dumps({"type": "error", "code": "server_error", "message": f"token {token}", "sequence_number": 0})
    backend.add(Turn(raw=f"event: error\ndata: {error}\n\n".encode()))
    asks = ["%%codex\nx"] * 5
    look = [
        "import logging; logging.basicConfig(level=logging.DEBUG, force=True)",
        "import codex_nb; codex_nb.session(), codex_nb.session().auth, codex_nb.session().auth.login()",
        "%codex status",
        "%xmode Verbose\ncodex_nb.session().responses.create(input='x', model='nope')",
        "import traceback, sys\ntraceback.print_exception(sys.last_value)",
        "vars(codex_nb.session()._core.transport), vars(sys.last_value)",
    ]
    node = execute(["%load_ext codex_nb", look[0], *asks, *look[1:]], tmp_path, allow_errors=True)
    errors = [output.ename for cell in node.cells for output in cell.outputs if output.output_type == "error"]
    assert errors == [
        "SignInExpired",
        "BadRequestError",
        "MalformedStream",
        "InternalServerError",
        "ResponseFailed",
        "BadRequestError",
    ]
    written = json.dumps(node)
    renewed = json.loads((tmp_path / "auth.json").read_text())["tokens"]
    assert renewed["access_token"] != token
    for name, secret in [*backend.login.items(), *renewed.items()]:
        for start in range(0, len(secret) - 16, 16):
            assert not name.endswith("token") or secret[start : start + 16] not in written


@pytest.mark.model
def test_the_tour_runs_on_the_real_model():
    """The notebook that newcomers see first works as it is stored, and is stored without outputs."""
    require("model", missing_model())
    node = nbformat.read(NOTEBOOKS / "01-ask.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    NotebookClient(node, timeout=120, kernel_name="python3").execute()
    cells = [cell for cell in node.cells if cell.source.startswith("%%codex")]
    answers = [cell for cell in cells if "--dry-run" not in cell.source]
    assert len(cells) == len(answers) + 1
    for cell in answers:
        answer, line = cell.outputs
        assert answer.data["text/plain"]
        assert "local llama" in line.data["text/plain"]


def test_the_notebook_of_the_client_runs():
    """Both faces, from answers to files, on a scripted backend; it is stored without outputs."""
    node = nbformat.read(NOTEBOOKS / "02-client.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    NotebookClient(node, timeout=120, kernel_name="python3").execute()
    shown = "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in node.cells
        for output in cell.get("outputs", [])
    )
    for said in ("City(name='Oslo', population=717710)", "It is 18 degrees in Oslo.", "dtype('float32')", "sediment"):
        assert said in shown
    assert "temperature is not supported" in shown


def test_the_notebook_of_the_assistant_runs(tmp_path):
    """Every option of the magic, on a scripted backend; it is stored without outputs."""
    node = nbformat.read(NOTEBOOKS / "03-assistant.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    NotebookClient(node, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.source: [_plain(output) for output in cell.outputs] for cell in node.cells if "outputs" in cell}

    def of(beginning):
        return next("\n".join(outputs) for source, outputs in shown.items() if source.startswith(beginning))

    assert "gpt-5.4 · high" in of("%%codex -m gpt-5.4/high")
    assert "('completed', 'gpt-5.4', 'high'" in of("plan.status")
    assert "1 turn sent" in of("%%codex --turns 1")
    assert "names     2" in of("%codex chats")
    assert "context" in of("%%codex -c values --with sales --dry-run")
    assert "a@example.org" not in of("%%codex -c values --with sales --dry-run")
    assert "replayed" in of("%%codex -c cached -n --cache replay")
    assert '+total = sales["revenue"].sum()' in of("%codex fix")
    assert "codex/responses" in of("%codex calls")
    assert "gpt-5.4 · low" in of("%codex retry")
    assert "population    Int64" in of("cities.df.dtypes")
    assert "City(name='Oslo', founded=None)" in of("city.parsed")
    assert "revenue(region='West') → 95.5" in of("%%codex -c tools")
    assert "failed" in of("_codex.tool_calls")
    assert of("%%codex -c formats -f text").startswith("1. *first*")


def test_the_notebook_of_dictation_runs(tmp_path):
    """Files, tables, formats, routes and the recorder, on a scripted backend; it is stored without outputs."""
    node = nbformat.read(NOTEBOOKS / "04-dictation.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    NotebookClient(node, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = "".join(_plain(output) for cell in node.cells for output in cell.get("outputs", []))
    for said in (
        "— monday.wav, by codex, 2.0 s",
        "delivery of the heat pump",
        "duration    timedelta64[us]",
        "The roof is dry again. 0 days 00:00:04",
        "Cloudflare",
        "bare.flac    audio/flac   1.5 s",
        "silent from beginning to end",
        "— tuesday.wav, by local, 3.0 s",
        "00:00:00,000 --> 00:00:01,500",
        "0 recordings in",
    ):
        assert said in shown


def _plain(output):
    return output.get("text") or output.get("data", {}).get("text/plain", "") or output.get("evalue", "")


def test_the_notebook_of_embeddings_runs(tmp_path):
    """Vectors, search, groups and a picture, on made-up vectors; it is stored without outputs."""
    node = nbformat.read(NOTEBOOKS / "06-embeddings.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    NotebookClient(node, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.source: cell.outputs for cell in node.cells if cell.get("outputs")}

    def of(part):
        return next("\n".join(map(_plain, outputs)) for source, outputs in shown.items() if part in source)

    assert "(73, 1536), dtype('float32')" in of("codex.matrix.shape")
    assert "'asked': 1,\n 'kept': 1" in of("attrs")
    assert "vector[text-embedding-3-small]" in of("to_parquet")
    assert of("codex.search(").count("billing") == 4
    assert of('on="text"').count("login") == 3
    assert of("codex.similar(0").count("shipping") == 3
    assert of("crosstab").count("24") == 3
    assert "image/png" in next(outputs[0].data for source, outputs in shown.items() if "plot(" in source)


def test_the_notebook_of_the_account_runs(tmp_path):
    """Quota, forecast, calls and tasks with their changes, on a scripted backend; it is stored without outputs."""
    node = nbformat.read(NOTEBOOKS / "05-account.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    NotebookClient(node, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.source: cell.outputs for cell in node.cells if cell.get("outputs")}

    def of(part):
        return next(outputs[-1] for source, outputs in shown.items() if part in source)

    assert "% used" in of("frames.usage()").data["text/html"]
    assert "gpt-5.4" in _plain(of("frames.calls("))
    assert "limit in 1 h 40 m, resets in 3 h 20 m" in json.dumps(of("expected.codex.plot"))
    assert "Fix flaky date test" in json.dumps(of("tasks.codex.plot()"))
    assert "attempt 3" in of("compare_attempts").data["text/html"]
    assert _plain(of("saved.read_text")).startswith("'diff --git")
    assert "Int64" in _plain(of("cli_tokens"))


def test_the_notebook_of_rows_runs_to_its_end(tmp_path):
    """On scripted answers; the second call asks nothing."""
    node = nbformat.read(NOTEBOOKS / "07-map.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in node.cells)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(node, timeout=60, kernel_name="python3", resources=resources).execute()
    assert "complaint" in node.cells[4].outputs[-1].data["text/plain"]
    assert node.cells[-2].outputs[-1].data["text/plain"] == "(0, 5)"
