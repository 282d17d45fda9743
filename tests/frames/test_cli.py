"""What the Codex CLI used, to the token: a made-up file for each rule of counting."""

import json
import sys

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_nb import InvalidOption, frames
from codex_nb.frames import rollout_files, rollout_index
from tests.frames.builders import COUNT, FLAG, KIND, LENGTH, STR, TIME, dtypes, round_trip
from tests.frames.rollouts import START, Rollout, line, stamp

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens")
SESSIONS = {
    "id": STR,
    **dict.fromkeys(("started", "last"), TIME),
    "duration": LENGTH,
    **dict.fromkeys(("project", "model"), STR),
    "effort": KIND,
    **dict.fromkeys(("turns", "calls", *TOKENS), COUNT),
    **dict.fromkeys(("branch", "repository", "origin", "source", "version", "provider", "forked_from"), STR),
    "archived": FLAG,
    "size": COUNT,
    "path": STR,
}


def whole(home):
    """Return all tokens: calls, input, cached, output, reasoning."""
    row = frames.cli_tokens([], home=home).iloc[0]
    return [int(row[name]) for name in ("calls", *TOKENS[:4])]


def test_calls_are_summed_not_the_sums(tmp_path):
    """Each call's own part counts; cached is part of the input, reasoning of the output."""
    Rollout("a").turn(1).call(2, 100, 40, 10, 4).call(3, 200, 150, 20, 5).save(tmp_path)
    assert whole(tmp_path) == [2, 300, 190, 30, 9]
    assert frames.cli_tokens([], home=tmp_path)["total_tokens"][0] == 330


def test_what_is_sent_again_counts_once(tmp_path):
    """The same sums come again when a limit changes, and when a context is made short."""
    rollout = Rollout("a").turn(1).call(2, 100, 0, 10)
    rollout.again(3, {"input_tokens": 0, "total_tokens": 77}).again(4).limits(5, None).call(6, 5)
    rollout.save(tmp_path)
    assert whole(tmp_path)[:2] == [2, 105]


def test_each_limit_has_its_own_baseline(tmp_path):
    """Two limits tell the same calls by turns, or each its own sums; neither is counted twice."""
    told = Rollout("a").turn(1).call(2, 100)
    told.again(3, {"input_tokens": 100, "total_tokens": 100}, limit="spark").call(4, 50)
    told.again(5, {"input_tokens": 50, "total_tokens": 50}, limit="spark").save(tmp_path)
    assert whole(tmp_path)[:2] == [2, 150]
    one, two = Rollout("b", begins=9), Rollout("b", begins=9)
    mixed = one.turn(10)
    for seconds, amount in ((11, 100), (12, 30)):
        one.call(seconds, amount)
        two.text = ""
        mixed.text += two.call(seconds, amount // 2, limit="spark").text
    two.text = ""
    mixed.text += one_again(one) + two.again(14, {"input_tokens": 15, "total_tokens": 15}, limit="spark").text
    mixed.save(tmp_path)
    assert whole(tmp_path)[:2] == [6, 150 + 130 + 65]


def one_again(rollout):
    """Return the line that sends a rollout's sums again."""
    before = rollout.text
    rollout.text = ""
    text = rollout.again(13, {"input_tokens": 30, "total_tokens": 30}).text
    rollout.text = before
    return text


def test_old_files_tell_the_sum_alone(tmp_path):
    """The step is what was used; a smaller sum has begun anew."""
    rollout = Rollout("a").turn(1).call(2, 100, 10, last=False).call(3, 50, 20, last=False)
    rollout.total = dict.fromkeys(rollout.total, 0)
    rollout.call(4, 7, last=False).save(tmp_path)
    assert whole(tmp_path)[:3] == [3, 157, 30]


def copy_of(parent, name, *, times=None):
    """Return a fork that begins with a copy of its parent's lines, with their times or with one for all."""
    fork = Rollout(name, parent=parent.id, begins=100)
    for text in parent.text.splitlines():
        fields = json.loads(text)
        if times is not None:
            fields["timestamp"] = stamp(times)
        fork.text += json.dumps(fields) + "\n"
    fork.total = parent.total
    return fork


@pytest.mark.parametrize("times", [None, 100.05])
@pytest.mark.parametrize("parent_is_there", [True, False])
def test_a_fork_has_only_what_came_after(tmp_path, times, parent_is_there):
    """Whether the copy keeps its times or not, and whether or not its parent is still there."""
    parent = Rollout("a").turn(1, turn_id="t1").call(2, 100, 0, 10).turn(3, turn_id="t2").call(4, 200, 0, 20)
    fork = copy_of(parent, "b", times=times).turn(110, turn_id="t3", model="other").call(111, 400, 0, 40)
    fork.save(tmp_path)
    if parent_is_there:
        parent.call(120, 1_000).save(tmp_path)
    assert whole(tmp_path)[:2] == ([4, 1_700] if parent_is_there else [1, 400])
    sessions = frames.cli_sessions(home=tmp_path).set_index("id")
    assert sessions.loc["b", ["input_tokens", "turns", "calls"]].tolist() == [400, 1, 1]
    assert sessions["forked_from"]["b"] == "a"


def test_a_fork_without_a_copy_counts_whole(tmp_path):
    """New versions refer to the parent; the sums go on, and the calls are the fork's own."""
    parent = Rollout("a").turn(1).call(2, 100)
    fork = Rollout("b", parent="a", begins=50).turn(51)
    fork.total = parent.total
    fork.call(52, 30).save(tmp_path)
    parent.save(tmp_path)
    assert whole(tmp_path)[:2] == [2, 130]


def test_a_copy_that_names_no_parent_counts_once(tmp_path):
    """The same call at the same time in two files is one call."""
    first = Rollout("a").turn(1).call(2, 100)
    first.save(tmp_path)
    again = Rollout("b", begins=60)
    again.text += first.text.split("\n", 1)[1]
    again.total = first.total
    again.turn(61).call(62, 5).save(tmp_path)
    assert whole(tmp_path)[:2] == [2, 105]


def test_model_and_effort_are_of_the_nearest_turn(tmp_path):
    """The one before; for calls before the first, the first."""
    rollout = Rollout("a").call(1, 1).turn(2, "one", "low", "/projects/x").call(3, 10)
    rollout.turn(4, "two", "xhigh", "/projects/y").call(5, 100).save(tmp_path)
    frame = frames.cli_tokens(["model", "effort", "project"], home=tmp_path)
    assert frame["model"].tolist() == ["one", "two"]
    assert frame["effort"].tolist() == ["low", "xhigh"]
    assert frame["project"].tolist() == ["/projects/x", "/projects/y"]
    assert frame["input_tokens"].tolist() == [11, 100]


def test_a_call_counts_on_its_own_day(tmp_path):
    """Not on the day of its file, and days are those of the zone that is asked for."""
    Rollout("a").turn(1).call(2, 1).call(11 * 3_600, 10).call(13 * 3_600, 100).save(tmp_path)
    utc = frames.cli_tokens("day", home=tmp_path)
    assert utc["day"].dt.strftime("%d").tolist() == ["01", "02"]
    assert utc["input_tokens"].tolist() == [11, 100]
    assert str(utc["day"].dtype) == "datetime64[us]"
    east = frames.cli_tokens(["day"], tz="Asia/Kolkata", home=tmp_path)
    assert east["input_tokens"].tolist() == [1, 110]
    assert frames.cli_tokens("week", home=tmp_path)["week"][0] == pd.Timestamp("2026-09-28")
    assert frames.cli_tokens("month", home=tmp_path)["month"][0] == pd.Timestamp("2026-10-01")
    assert frames.cli_tokens([], since=START + pd.Timedelta(hours=12), home=tmp_path)["input_tokens"][0] == 100


def test_an_active_copy_stands_before_an_archived_one(tmp_path):
    """And a plain file before a compressed one; what was archived since is not read again."""
    rollout = Rollout("a").turn(1).call(2, 100)
    archived = rollout.save(tmp_path, "archived_sessions")
    rollout.call(3, 50)
    active = rollout.save(tmp_path)
    rollout.write(tmp_path, zstd.compress(b"junk"), ending=".jsonl.zst")
    assert whole(tmp_path)[:2] == [2, 150]
    assert not frames.cli_sessions(home=tmp_path)["archived"][0]
    active.replace(archived)
    active.with_name(f"{active.name}.zst").unlink()
    assert whole(tmp_path)[:2] == [2, 150]
    assert frames.cli_sessions(home=tmp_path)["archived"][0]


def test_compressed_files_count_too(tmp_path):
    """Also one that is broken off, as far as its lines are whole."""
    Rollout("a").turn(1).call(2, 100).save(tmp_path)
    packed = Rollout("b", begins=5).turn(6).call(7, 30)
    packed.write(tmp_path, zstd.compress(packed.text.encode()), "archived_sessions", ".jsonl.zst")
    broken = Rollout("c", begins=10).turn(11).call(12, 5)
    # Blocks of their own, so that the first can be read without the second.
    content = zstd.compress(broken.text.encode()) + zstd.compress(broken.call(13, 7).text.encode())[:-5]
    broken.write(tmp_path, content, "archived_sessions", ".jsonl.zst")
    Rollout("d", begins=20).write(tmp_path, b"no archive", ending=".jsonl.zst")
    assert whole(tmp_path)[1] == 135
    assert whole(tmp_path)[1] == 135


def test_lines_of_any_length_are_passed_over(tmp_path, monkeypatch):
    """What is longer than a block is a picture; what it says of tokens is in a text."""
    monkeypatch.setattr(rollout_files, "LONGEST", 2_000)
    rollout = Rollout("a").turn(1).says(2, "x" * 1_999).says(2, "y" * 100_000).call(3, 10)
    for length in range(1_800, 2_100, 7):
        rollout.says(4, "z" * length)
    rollout.says(5, '{"timestamp":"","type":"event_msg","payload":{"type":"token_count"}}').call(6, 20).save(tmp_path)
    assert whole(tmp_path)[:2] == [2, 30]


def test_a_torn_last_line_is_read_when_it_is_whole(tmp_path):
    """Every cut of it leaves what was before; a new line behind a torn one is found."""
    rollout = Rollout("a").turn(1).call(2, 100)
    before = rollout.text
    rollout.call(3, 10)
    path = rollout.save(tmp_path)
    for cut in range(len(before), len(rollout.text), 40):
        path.write_text(rollout.text[:cut])
        assert whole(tmp_path)[:2] == [1, 100]
    path.write_text(rollout.text)
    assert whole(tmp_path)[:2] == [2, 110]
    torn = rollout.text[: len(before) + 50]
    path.write_text(torn + rollout.text[len(before) :])
    assert whole(tmp_path)[:2] == [2, 110]


def test_only_what_is_new_is_read(tmp_path, monkeypatch):
    """A file that has grown goes on where it ended; another one is read from its start; one that is gone goes."""
    read = []
    monkeypatch.setattr(
        rollout_index, "lines", lambda file, start: read.append(start) or rollout_files.lines(file, start)
    )
    rollout = Rollout("a").turn(1).call(2, 100)
    path = rollout.save(tmp_path)
    assert whole(tmp_path)[1] == 100
    size = path.stat().st_size
    assert whole(tmp_path)[1] == 100
    assert read == [0]
    rollout.again(3).call(4, 11).save(tmp_path)
    assert whole(tmp_path)[1] == 111
    assert read == [0, size]
    Rollout("a", cwd="/elsewhere").turn(1, "m").call(2, 7).save(tmp_path)
    assert whole(tmp_path)[1] == 7
    assert read == [0, size, 0]
    path.unlink()
    assert whole(tmp_path) == [0, 0, 0, 0, 0]


def test_the_index_holds_no_prompt(tmp_path, monkeypatch):
    """Nor the login that a repository's address may hold; a broken index is made anew."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("CODEX_NB_CACHE_FOLDER", str(cache))
    git = {"git": {"repository_url": "https://user:hunter2@example.com/a/b.git", "branch": "main"}}
    Rollout("a", **git, base_instructions={"text": "SECRET"}).turn(1).says(2, "SECRET").call(3, 1).save(tmp_path)
    assert frames.cli_sessions(home=tmp_path)["repository"][0] == "https://example.com/a/b.git"
    for file in cache.iterdir():
        assert b"SECRET" not in file.read_bytes()
        assert b"hunter2" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0
        file.write_bytes(b"broken" * 1_000)
    assert whole(tmp_path)[1] == 1


def test_frames_have_fixed_dtypes(tmp_path):
    """Empty, and with files that hold nothing, little or much."""
    by = ["day", "hour", "week", "month", "model", "effort", "project", "session", "origin", "source", "branch"]
    for number in range(4):
        sessions, tokens = frames.cli_sessions(home=tmp_path), frames.cli_tokens(by, home=tmp_path)
        assert dtypes(sessions) == SESSIONS
        assert dtypes(tokens) == {
            **dict.fromkeys(by, STR),
            **dict.fromkeys(("day", "hour", "week", "month"), "datetime64[us]"),
            "effort": KIND,
            **dict.fromkeys(("calls", "sessions", *TOKENS), COUNT),
        }
        assert len(sessions) == number
        round_trip(sessions, tmp_path / "s.parquet")
        round_trip(tokens, tmp_path / "t.parquet")
        rollout = Rollout(f"r{number}", begins=number, source={"subagent": {"x": 1}})
        if number:
            rollout.turn(number).call(number + 5, number)
        rollout.write(tmp_path, rollout.text.encode() if number < 2 else rollout.text.encode() + b"\xff{}\n[]\nnull\n")


@pytest.mark.parametrize(
    "wrong", [{"by": "colour"}, {"by": None}, {"tz": "Nowhere/At_All"}, {"tz": 5}, {"tz": None}, {"since": "soon"}]
)
def test_what_cannot_be_told_is_refused(tmp_path, wrong):
    """With what can."""
    with pytest.raises(InvalidOption):
        frames.cli_tokens(**wrong, home=tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            *("id", "timestamp", "cwd", "source", "git", "forked_from_id", "model", "effort", "turn_id"),
            *("collaboration_mode", "originator", "model_provider"),
        ),
        JSON,
    ),
)
COUNTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), JSON))
WINDOW = st.fixed_dictionaries({}, optional=dict.fromkeys(("used_percent", "window_minutes", "resets_at"), JSON))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    lines=st.lists(
        st.tuples(st.sampled_from(["session_meta", "turn_context"]), FIELDS)
        | st.tuples(
            st.just("event_msg"),
            st.builds(
                lambda total, last, window: {
                    "type": "token_count",
                    "info": {"total_token_usage": total, "last_token_usage": last},
                    "rate_limits": {"primary": window, "limit_id": "codex"},
                },
                COUNTS | JSON,
                COUNTS | JSON,
                WINDOW | JSON,
            ),
        ),
        max_size=6,
    )
)
def test_any_values_are_taken(lines, tmp_path):
    """Whatever stands where, it is counted as nothing or as what it is."""
    rollout = Rollout("a")
    rollout.text = "".join(line(number, kind, payload) for number, (kind, payload) in enumerate(lines))
    rollout.save(tmp_path)
    assert dtypes(frames.cli_sessions(home=tmp_path)) == SESSIONS
    assert (frames.cli_tokens(["day", "model"], home=tmp_path)["total_tokens"] >= 0).all()
