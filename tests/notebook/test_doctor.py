"""The table of what works and what does not."""

import re
import subprocess
import sys
from importlib.metadata import metadata

import codex_nb
from codex_nb.local import Fault, LocalBackend, Script
from codex_nb.notebook import doctor as findings


def test_all_is_well_with_a_backend_that_answers():
    """Each row has a state; the token is in none."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), max_retries=0)
        report = codex_nb.doctor()
        session.close()
    assert {row.state for row in report} <= {"ok", "note", "problem"}
    assert report["backend"].state == "ok"
    assert "models" in report["backend"].finding
    assert "codex-nb" in report["versions"].finding
    assert "made-up-token" not in repr(report) + report._repr_html_()
    assert "microphone" in report._repr_html_()


def test_a_backend_in_trouble_is_a_row_with_what_to_do():
    """A failure, and an address where nobody is, are findings, not errors."""
    with LocalBackend(Script(faults=[Fault.reply(401, {"detail": "no"}, times=None, path="*/models")])) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), max_retries=0)
        row = codex_nb.doctor()["backend"]
        session.close()
        address = backend.url
    assert (row.state, bool(row.to_do)) == ("problem", True)
    session = codex_nb.connect(address, auth=codex_nb.Bearer("made-up-token"), max_retries=0)
    report = codex_nb.doctor()
    assert report["backend"] in report.problems
    session.close()


def test_without_a_login_the_row_says_how_to_sign_in():
    """On the command line the status tells that something needs doing."""
    done = subprocess.run(
        [sys.executable, "-m", "codex_nb.cli", "doctor"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if " login " in line)
    assert line.startswith("problem")
    assert "codex login" in line or "codex-nb login" in line


def test_a_finding_ends_before_what_to_do_begins():
    """As text they stand in one line."""
    rows = [findings.Finding("ledger", "note", "is off", "Unset it."), findings.Finding("login", "ok", "is here")]
    assert repr(findings.Report(rows)) == "note     ledger  is off. Unset it.\nok       login   is here"


def test_every_extra_is_named_as_there_or_missing(monkeypatch):
    """The list is the package's own."""
    declared = set(metadata("codex-nb").get_all("Provides-Extra"))
    row = codex_nb.doctor()["extras"]
    there, _, missing = row.finding.partition("without ")
    assert set(re.findall(r"[\w-]+", f"{there} {missing}")) == declared
    monkeypatch.setattr(findings, "_installed", lambda package: package != "av")
    row = codex_nb.doctor()["extras"]
    assert row.state == "note"
    assert row.finding.endswith("; without audio")
    assert row.to_do.endswith('pip install "codex-nb[audio]"')


def test_an_extra_lacks_nothing_that_this_python_does_not_get(monkeypatch):
    """Of some packages there is no version for it."""
    needed = ['ghost; python_version < "3" and extra == "mic"', 'ghost; python_version > "3" and extra == "silk"']
    monkeypatch.setattr(findings, "requires", lambda _: needed)
    row = codex_nb.doctor()["extras"]
    assert row.finding.endswith("; without silk")
    assert "mic" in row.finding
