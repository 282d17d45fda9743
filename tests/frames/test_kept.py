"""What is kept on disk: many processes at once, processes that are killed, and files that are not ours."""

import multiprocessing
import os
import pickle
import sqlite3
import threading
from contextlib import closing

import pytest

from codex_nb.frames.kept import Kept, key_of
from tests.databases import meddle
from tests.processes import start


def write(pipe, path, name, count):
    """Keep ``count`` results one by one, and say each number once it is kept."""
    kept = Kept(path)
    for n in range(count):
        kept.put_many([(key_of(name, n), f"{name} {n}".encode() * 100)])
        pipe.send(n)


@pytest.fixture
def kept(tmp_path):
    """A file in a folder that does not exist yet."""
    made = Kept(tmp_path / "new" / "kept.sqlite3")
    yield made
    made.close()


def test_what_is_put_is_got(kept):
    """In any number, the last value of a key; what is not there is left out."""
    pairs = {key_of(n): bytes([n % 256]) * 50 for n in range(1_234)}
    kept.put_many(pairs.items())
    kept.put_many([(key_of(0), b"new")])
    found = Kept(kept.path).get_many([key_of(n) for n in range(2_000)])
    assert found == pairs | {key_of(0): b"new"}
    assert len(kept) == 1_234
    kept.forget([key_of(0), key_of("never")])
    assert len(kept) == 1_233
    kept.clear()
    assert kept.get_many(pairs) == {}
    assert kept.get_many([]) == {}


def test_values_of_any_size(kept):
    """Nothing, and more than one transaction takes."""
    values = [b"", os.urandom(9 << 20), b"\0" * 100, os.urandom(9 << 20)]
    kept.put_many((key_of(n), value) for n, value in enumerate(values))
    assert kept.get_many(map(key_of, range(4))) == {key_of(n): value for n, value in enumerate(values)}


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_the_file_is_its_users_alone(kept):
    """And so are the files beside it, and the folder."""
    kept.put_many([(b"k", b"v")])
    assert {oct(each.stat().st_mode & 0o777) for each in kept.path.parent.iterdir()} == {"0o600"}
    assert kept.path.parent.stat().st_mode & 0o777 == 0o700


def test_keys_say_nothing_and_tell_everything_apart():
    """The same parts give the same key, any other parts another; half characters are text as well."""
    assert key_of("a", 1, {"x": 1, "y": [None]}) == key_of("a", 1, {"y": [None], "x": 1})
    keys = [key_of("a", "b"), key_of("ab"), key_of(["a", "b"]), key_of("a", "b", None), key_of("1"), key_of(1)]
    assert len({*keys, key_of("\ud83d")}) == 7
    assert all(len(key) == 32 for key in keys)


def test_what_was_kept_is_there_after_a_kill(kept):
    """Whatever the process was doing."""
    program = start(write, kept.path, "x", 100_000)
    while program.pipe.recv() < 40:
        pass
    said = [40, *program.kill()]
    found = kept.get_many(key_of("x", n) for n in range(max(said) + 1))
    assert len(found) == max(said) + 1
    assert all(value.startswith(b"x ") for value in found.values())


def test_several_threads_share_it(kept):
    """One object for all."""

    def work(name):
        for n in range(50):
            kept.put_many([(key_of(name, n), b"v")])
            assert kept.get_many([key_of(name, n)])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_opens_it_anew(kept):
    """What the parent has open is not touched."""
    kept.put_many([(b"a", b"1")])
    child = multiprocessing.get_context("fork").Process(target=kept.put_many, args=([(b"b", b"2")],))
    child.start()
    child.join(60)
    assert kept.get_many([b"a", b"b"]) == {b"a": b"1", b"b": b"2"}


def test_what_is_no_path_is_told_once():
    """What could not be made has nothing to close."""
    with pytest.raises(TypeError):
        Kept(5)


def test_it_travels_as_its_path(kept):
    """To another process."""
    kept.put_many([(b"a", b"1")])
    assert pickle.loads(pickle.dumps(kept)).get_many([b"a"]) == {b"a": b"1"}  # noqa: S301


@pytest.mark.parametrize("damage", ["not a database", "cut", "overwritten", "log"])
def test_a_broken_file_is_put_aside(kept, damage):
    """With a warning that names it; nothing of it is deleted."""
    kept.put_many((key_of(n), os.urandom(6_000)) for n in range(300))
    kept.close()
    whole = kept.path.read_bytes()
    if damage == "not a database":
        kept.path.write_bytes(b"words " * 1_000)
    elif damage == "cut":
        kept.path.write_bytes(whole[: len(whole) // 3])
    else:
        kept.path.write_bytes(whole[:8_192] + b"\xff" * (len(whole) - 8_192))
    if damage == "log":
        kept.path.with_name("kept.sqlite3-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\xff" * 9_000)
    with pytest.warns(UserWarning, match=r"broken.*kept\.sqlite3\.broken-"):
        assert kept.get_many(map(key_of, range(300))) == {}
    kept.put_many([(b"k", b"v")])
    assert Kept(kept.path).get_many([b"k"]) == {b"k": b"v"}
    assert len([*kept.path.parent.glob("kept.sqlite3.broken-*[0-9]")]) == 1


def test_several_processes_write_at_once_to_a_file_that_was_broken(kept):
    """One puts it aside; nothing that is kept afterwards is lost, and the database is sound."""
    kept.path.parent.mkdir()
    kept.path.write_bytes(b"words " * 1_000)
    programs = [start(write, kept.path, name, 20) for name in "abc"]
    assert [each.rest() for each in programs] == [[*range(20)]] * 3
    assert len(kept.get_many(key_of(name, n) for name in "abc" for n in range(20))) == 60
    with closing(sqlite3.connect(kept.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len([*kept.path.parent.glob("kept.sqlite3.broken-*[0-9]")]) == 1


@pytest.mark.parametrize("moment", range(8))
def test_a_file_that_another_process_begins_meanwhile_is_ours(kept, monkeypatch, moment):
    """Between any two statements of its opening."""
    meddle(monkeypatch, moment, lambda: Kept(kept.path).put_many([(b"theirs", b"1")]))
    kept.put_many([(b"ours", b"2")])
    assert kept.get_many([b"theirs", b"ours"]) == {b"theirs": b"1", b"ours": b"2"}


def test_another_programs_database_is_left_alone(kept):
    """A warning says that nothing is kept."""
    kept.path.parent.mkdir()
    db = sqlite3.connect(kept.path)
    db.executescript("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
    db.close()
    before = kept.path.read_bytes()
    with pytest.warns(UserWarning, match="another program"):
        kept.put_many([(b"k", b"v")])
    assert kept.get_many([b"k"]) == {}
    assert kept.path.read_bytes() == before
    assert [each.name for each in kept.path.parent.iterdir()] == ["kept.sqlite3"]


def test_a_file_that_went_away_is_begun_anew(kept):
    """Deleting it is allowed at any time."""
    kept.put_many([(b"a", b"1")])
    for each in kept.path.parent.iterdir():
        each.unlink()
    assert kept.get_many([b"a"]) == {}
    kept.put_many([(b"b", b"2")])
    assert Kept(kept.path).get_many([b"b"]) == {b"b": b"2"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not hold for root")
def test_a_place_that_cannot_be_written_is_done_without(kept):
    """With a warning."""
    kept.path.parent.mkdir(mode=0o500)
    with pytest.warns(UserWarning, match="cannot be used"):
        kept.put_many([(b"k", b"v")])


def test_a_folder_in_its_place_is_done_without(kept):
    """With one warning, not one a call."""
    kept.path.mkdir(parents=True)
    with pytest.warns(UserWarning, match="CODEX_NB_KEPT") as told:
        assert [kept.get_many([b"k"]) for _ in range(3)] == [{}] * 3
    assert len(told) == 1


def test_a_path_may_begin_with_the_home_folder(monkeypatch, tmp_path):
    """It is that folder, and none of the name ``~``."""
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    kept = Kept("~/answers.sqlite3")
    kept.put_many([(b"k", b"v")])
    kept.close()
    assert (tmp_path / "answers.sqlite3").exists()


def test_the_environment_chooses(monkeypatch, tmp_path):
    """Off, a file, a folder; by default the user's data folder."""
    monkeypatch.setenv("CODEX_NB_KEPT", "off")
    assert not Kept.shared()
    Kept.shared().put_many([(b"k", b"v")])
    assert Kept.shared().get_many([b"k"]) == {}
    assert len(Kept.shared()) == 0
    monkeypatch.setenv("CODEX_NB_KEPT", str(tmp_path))
    assert Kept.shared().path == tmp_path / "kept.sqlite3"
    assert Kept.shared() is Kept.shared()
    monkeypatch.setenv("CODEX_NB_KEPT", str(tmp_path / "x.db"))
    assert Kept.shared().path == tmp_path / "x.db"
    monkeypatch.delenv("CODEX_NB_KEPT")
    assert "codex_nb" in Kept.shared().path.parts
