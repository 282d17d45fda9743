"""The ledger's file: many writers at once, processes that are killed, and files that cannot be written."""

import logging
import os
import random
import sqlite3
import subprocess
import sys
import textwrap
import time

import pytest

from codex_nb import Bearer, CodexError, Session
from codex_nb.client._ledger_file import APPLICATION, VERSION, Entry, LedgerFile
from codex_nb.client.ledger import Ledger, chosen_path
from codex_nb.local import Script, Turn
from tests.conftest import TOKEN
from tests.databases import meddle

BEGINNING = """
import os, sys, time
from codex_nb.client._ledger_file import Entry
from codex_nb.client.ledger import Ledger
ledger = Ledger(sys.argv[1])

def add(number):
    call = {"time": time.time_ns() // 1000, "method": "GET", "endpoint": "codex/models", "outcome": "completed"}
    window = {"time": call["time"], "source": "headers", "limit_name": "codex", "used": 1.0}
    windows = [window | {"slot": "primary"}, window | {"slot": "secondary"}]
    ledger.begin()
    ledger.add(Entry(call | {"attempts": number, "seconds": 0.5, "session": str(os.getpid())}, "acc", windows))
"""


def program(path, code, *arguments):
    """Start a process that writes to the ledger at ``path``."""
    script = BEGINNING + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", script, str(path), *arguments], stdout=subprocess.PIPE, text=True)


def finish(*programs):
    """Wait for them, and return what they printed."""
    printed = [each.communicate(timeout=120)[0] for each in programs]
    assert [each.returncode for each in programs] == [0] * len(programs)
    return printed


def added(ledger, count=1):
    """Add rows from here."""
    for number in range(count):
        call = {"time": time.time_ns() // 1000, "method": "GET", "endpoint": "codex/models", "outcome": "completed"}
        ledger.begin()
        ledger.add(Entry(call | {"attempts": number, "seconds": 0.5}))


def assert_whole(path):
    """The database is sound, and no row is half there."""
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM calls WHERE outcome IS NULL OR account IS NULL").fetchone() == (0,)
        torn = "SELECT c.id FROM calls c LEFT JOIN quota q ON q.call = c.id GROUP BY c.id HAVING count(q.id) != 2"
        assert db.execute(torn).fetchall() == []
        assert db.execute("SELECT count(*) FROM quota WHERE call NOT IN (SELECT id FROM calls)").fetchone() == (0,)
    finally:
        db.close()


@pytest.fixture
def ledger(tmp_path):
    """A ledger in a folder that does not exist yet."""
    made = Ledger(tmp_path / "new" / "ledger.sqlite3")
    yield made
    made.close()


def test_the_file_is_its_users_alone(ledger):
    """And so are the files beside it, and the folder."""
    added(ledger)
    ledger.flush()
    folder = ledger.path.parent
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == dict.fromkeys(["ledger.sqlite3", "ledger.sqlite3-shm", "ledger.sqlite3-wal"], 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_many_processes_begin_and_write_one_file(ledger):
    """None of their rows is lost, though nobody waits for them but the end of each process."""
    code = "for number in range(100): add(number); time.sleep(0.001)"
    finish(*[program(ledger.path, code) for _ in range(6)])
    rows = list(ledger.calls())
    assert len(rows) == 600
    assert len({row.session for row in rows}) == 6
    assert len({row.account for row in rows}) == 1
    assert_whole(ledger.path)


@pytest.mark.parametrize("moment", range(8))
def test_a_file_that_another_process_begins_meanwhile_is_ours(ledger, monkeypatch, moment):
    """Between any two statements of its opening."""
    meddle(monkeypatch, moment, lambda: LedgerFile(ledger.path).close())
    added(ledger)
    ledger.flush(60)
    assert ledger.trouble is None
    assert len([*ledger.calls()]) == 1


def test_killed_processes_leave_a_whole_file(ledger):
    """At any moment. What was said to be written is there."""
    code = """
    for number in range(1, 1_000_000):
        add(number)
        if number % 20 == 0:
            ledger.flush()
            print(number, flush=True)
    """
    chance = random.Random(7)  # noqa: S311
    for _ in range(4):
        programs = [program(ledger.path, code) for _ in range(3)]
        said = [int(each.stdout.readline()) for each in programs]
        for place, each in enumerate(programs):
            time.sleep(chance.uniform(0.0, 0.15))
            each.kill()
            said[place] = max([said[place], *map(int, each.communicate(timeout=60)[0].split("\n")[:-1])])
        assert_whole(ledger.path)
        written = {}
        for row in ledger.calls():
            written[row.session] = written.get(row.session, 0) + 1
        for each, number in zip(programs, said, strict=True):
            assert written[str(each.pid)] >= number
    added(ledger)
    assert next(ledger.calls()).session is None


def test_a_fork_goes_on_in_both_processes(ledger):
    """While the parent's thread is in the middle of writing; no row twice, none lost."""
    code = """
    for number in range(50): add(number)
    child = os.fork()
    for number in range(50): add(number)
    if child:
        assert os.waitpid(child, 0)[1] == 0
        add(99)
    else:
        ledger.flush()
        os._exit(0)
    """
    finish(program(ledger.path, code))
    rows = list(ledger.calls())
    assert len(rows) == 151
    assert len({(row.session, row.attempts, row.time) for row in rows}) == 151
    assert_whole(ledger.path)


def test_workers_of_multiprocessing_lose_nothing(ledger):
    """They leave without the usual end of a process."""
    code = """
    import multiprocessing, warnings
    warnings.simplefilter("ignore")
    context = multiprocessing.get_context("fork")
    add(0)
    workers = [context.Process(target=add, args=(number,)) for number in range(1, 5)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    """
    finish(program(ledger.path, code))
    assert sorted(row.attempts for row in ledger.calls()) == [0, 1, 2, 3, 4]


def test_a_process_that_ends_while_the_file_is_locked_loses_nothing(ledger):
    """It tries again for a moment, where nobody would do so after it."""
    added(ledger)
    ledger.flush()
    db = sqlite3.connect(ledger.path, isolation_level=None)
    try:
        db.execute("BEGIN EXCLUSIVE")
        ending = program(ledger.path, "add(7)\nprint('it ends', flush=True)")
        assert ending.stdout.readline() == "it ends\n"
        time.sleep(1.3)  # longer than one attempt waits
        db.execute("COMMIT")
    finally:
        db.close()
    finish(ending)
    assert sorted(row.attempts for row in ledger.calls()) == [0, 7]


def test_the_end_of_the_process_ends_open_calls(make_backend, ledger):
    """An answer that was under way is in the ledger, as interrupted; in a forked copy it is not there twice."""
    backend = make_backend(Script(turns=[Turn(text=["word "] * 500, pause=0.02)]))
    code = """
    os.environ["CODEX_NB_LEDGER"] = sys.argv[1]
    from codex_nb import Bearer, Session
    session = Session(sys.argv[2], auth=Bearer("made-up"), model="gpt-5.4")
    stream = session.responses.create(input="x", stream=True)
    deltas = stream.text_deltas()
    next(deltas)
    if child := os.fork():
        os.waitpid(child, 0)
    """
    finish(program(ledger.path, code, backend.url))
    assert [(row.endpoint, row.outcome) for row in ledger.calls()] == [("codex/responses", "interrupted")]


def a_call(make_backend, face, ledger, monkeypatch):
    """Make a call whose row goes to ``ledger``; it must succeed, and not wait."""
    monkeypatch.setenv("CODEX_NB_LEDGER", str(ledger.path))
    monkeypatch.setitem(Ledger._shared, chosen_path(), ledger)
    began = time.monotonic()
    response = face.answer(make_backend(Script.of("fine")), streamed=False, timeout=20)
    assert response.output_text == "fine"
    assert time.monotonic() - began < 15


def warned(caplog):
    """Return the warnings about the ledger."""
    return [r for r in caplog.records if r.name == "codex_nb.ledger" and r.levelno == logging.WARNING]


def foreign(path):
    """Leave a database of another program's at ``path``."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE calls (number TEXT)")
    db.commit()
    db.close()


BAD = {
    "no database": lambda path: path.write_bytes(b"These are notes, and no database. " * 100),
    "another program's": foreign,
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_ledger_is_left_as_it_is(make_backend, face, monkeypatch, tmp_path, caplog, kind):
    """Calls go on, the log says it once, and reading says what to do."""
    path = tmp_path / "ledger.sqlite3"
    BAD[kind](path)
    before = path.read_bytes() if path.is_file() else None
    ledger = Ledger(path)
    for _ in range(2):
        a_call(make_backend, face, ledger, monkeypatch)
    ledger.flush()
    assert len(warned(caplog)) == 1
    assert "CODEX_NB_LEDGER" in warned(caplog)[0].getMessage()
    assert ledger.trouble
    assert "not written" in str(ledger)
    with pytest.raises(CodexError) as caught:
        list(ledger.calls())
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_folder_that_cannot_be_made_stops_nothing(make_backend, face, monkeypatch, tmp_path, caplog):
    """Its place is taken by a file."""
    (tmp_path / "taken").write_text("")
    ledger = Ledger(tmp_path / "taken" / "ledger.sqlite3")
    a_call(make_backend, face, ledger, monkeypatch)
    ledger.flush()
    assert len(warned(caplog)) == 1
    assert list(ledger.calls()) == []


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_file_stops_nothing(make_backend, face, monkeypatch, ledger, caplog):
    """What is in it can be read."""
    added(ledger)
    ledger.close()
    ledger.path.chmod(0o400)
    a_call(make_backend, face, ledger, monkeypatch)
    ledger.flush()
    assert len(warned(caplog)) == 1
    assert len(list(ledger.calls())) == 1


def test_a_locked_file_is_written_when_it_is_free(make_backend, face, monkeypatch, ledger, caplog):
    """The call does not wait for it, and its row is not lost."""
    added(ledger)
    ledger.flush()
    db = sqlite3.connect(ledger.path, isolation_level=None)
    try:
        db.execute("BEGIN EXCLUSIVE")
        a_call(make_backend, face, ledger, monkeypatch)
        ledger.flush(30)
        assert "locked" in ledger.trouble
        assert len(list(ledger.calls())) == 1
        db.execute("COMMIT")
    finally:
        db.close()
    ledger.flush(30)
    assert len(list(ledger.calls())) == 2
    assert ledger.trouble is None
    assert len(warned(caplog)) == 1


def test_a_full_disk_stops_nothing(make_backend, face, monkeypatch, ledger, caplog):
    """The rows wait for room."""
    added(ledger)
    ledger.flush()
    db = ledger._writer._file._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    added(ledger, 300)
    a_call(make_backend, face, ledger, monkeypatch)
    ledger.flush(30)
    assert "full" in ledger.trouble
    assert len(list(ledger.calls())) == 1
    db.execute("PRAGMA max_page_count = 1000000")
    ledger.flush(30)
    assert len(list(ledger.calls())) == 302
    assert len(warned(caplog)) == 1


def test_a_deleted_file_is_made_anew(ledger):
    """Rows do not go where nobody can see them."""
    added(ledger)
    ledger.flush()
    for path in ledger.path.parent.iterdir():
        path.unlink()
    added(ledger, 2)
    assert len(list(ledger.calls())) == 2


def test_a_file_that_is_not_there_is_empty(ledger):
    """Reading does not make it."""
    assert list(ledger.calls()) == list(ledger.quota_history()) == []
    assert ledger.account_key("acc") is None
    assert not ledger.path.parent.exists()


def test_a_closed_ledger_opens_again(ledger):
    """Closing folds the side files in."""
    added(ledger)
    ledger.close()
    assert [path.name for path in ledger.path.parent.iterdir()] == ["ledger.sqlite3"]
    added(ledger)
    assert len(list(ledger.calls())) == 2


def changed(path, *statements):
    """Change the file as another version would."""
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def test_a_newer_file_is_read_and_written_in_what_both_know(ledger):
    """A column that is unknown here, and one that is gone there."""
    added(ledger)
    ledger.close()
    newer = VERSION + 8
    changed(
        ledger.path,
        "ALTER TABLE calls ADD COLUMN mood TEXT DEFAULT 'calm'",
        "ALTER TABLE calls DROP COLUMN engine",
        f"PRAGMA user_version = {newer}",
    )
    added(ledger)
    rows = list(ledger.calls())
    assert [(row.engine, row.endpoint) for row in rows] == [(None, "codex/models")] * 2
    db = sqlite3.connect(ledger.path)
    assert db.execute("SELECT mood FROM calls").fetchall() == [("calm",)] * 2
    assert db.execute("PRAGMA user_version").fetchone() == (newer,)
    db.close()


def test_an_older_file_gets_the_new_columns(ledger):
    """Its rows stay."""
    ledger.path.parent.mkdir()
    changed(
        ledger.path,
        "CREATE TABLE calls (id INTEGER PRIMARY KEY, time INTEGER, outcome TEXT)",
        "INSERT INTO calls (time, outcome) VALUES (5, 'completed')",
        f"PRAGMA application_id = {APPLICATION}",
    )
    assert [(row.time, row.model) for row in ledger.calls()] == [(5, None)]
    added(ledger)
    assert [(row.outcome, row.method) for row in ledger.calls()] == [("completed", "GET"), ("completed", None)]


def test_reading_while_others_write_is_steady(make_backend, ledger, monkeypatch):
    """A reader in the middle of its rows holds nobody up, and sees each row once."""
    monkeypatch.setattr("codex_nb.client.ledger.PAGE", 10)
    added(ledger, 50)
    rows = ledger.calls()
    first = [next(rows) for _ in range(15)]
    added(ledger, 50)
    ledger.flush()
    rest = list(rows)
    assert len({row.id for row in [*first, *rest]}) == len(first) + len(rest) == 50
    assert len(list(ledger.calls())) == 100


def test_threads_share_one_ledger(make_backend, monkeypatch, tmp_path):
    """Sessions of one process write by one thread."""
    import threading

    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path / "ledger.sqlite3"))
    backend = make_backend(Script())

    def work():
        with Session(backend.url, auth=Bearer(TOKEN)) as session:
            for _ in range(10):
                session.models.list(refresh=True)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = Ledger.shared()
    assert len(list(ledger.calls())) == 60
    assert len([t for t in threading.enumerate() if t is ledger._writer._thread]) == 1
    ledger.close()
