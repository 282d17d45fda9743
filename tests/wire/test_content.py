"""What a request says, how two differ, and recorded streams without what tells of the account."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.wire.content import changes, content, digest, leaves
from codex_nb.wire.scrub import scrubbed

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_what_tells_sessions_apart_is_no_content():
    """Ids, keys and encrypted thoughts do not change a question; its words do."""
    item = {"type": "message", "id": "msg_1", "status": "completed", "content": "x"}
    one = {"model": "m", "stream": True, "prompt_cache_key": "a", "include": ["b"], "input": [item]}
    two = {"input": [{"content": "x", "type": "message"}], "model": "m"}
    assert digest(content(one)) == digest(content(two))
    assert digest(content(one)) != digest(content({**two, "model": "n"}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
)


@given(json_values, json_values)
def test_two_values_differ_where_their_leaves_do(one, two):
    """No difference goes unseen, and none is made up."""
    changed = changes(dict(leaves(one)), dict(leaves(two)))
    assert bool(changed) == (dict(leaves(one)) != dict(leaves(two)))
    assert not changes(dict(leaves(one)), dict(leaves(one)))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.sse")), ids=lambda path: path.stem)
@given(data=st.data())
def test_scrubbing_keeps_the_events_and_the_cuts(path, data):
    """However the stream was cut: as many chunks, the same events but for the account's."""
    whole = path.read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(whole) - 1)), max_size=6)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    kept = scrubbed(chunks)
    joined = b"".join(kept)
    assert len(kept) <= len(chunks)
    for word in (b"codex.rate_limits", b"prompt_cache_key", b"safety_identifier"):
        assert word not in joined
    if joined == whole:
        assert kept == [chunk for chunk in chunks if chunk]
    assert _texts(joined) == _texts(whole)


def _texts(stream):
    """Return the lines of deltas."""
    return [line for line in stream.splitlines() if b"output_text.delta" in line and line.startswith(b"data")]


def test_a_login_that_was_cut_in_two_is_hidden():
    """The service may quote it, and chunks end anywhere."""
    chunks = [b'data: {"type":"x","said":"secr', b'et-token"}\n\n']
    assert b"secret-token" not in b"".join(scrubbed(chunks, lambda frame: frame.replace(b"secret-token", b"[hidden]")))
