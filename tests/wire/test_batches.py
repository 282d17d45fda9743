"""Inputs are split so that each is sent once, in order, within the limits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from codex_nb.wire.batches import MOST_INPUTS, MOST_TOKENS_TOGETHER, as_inputs, halves, longest, spans

TEXTS = st.one_of(
    st.text(min_size=1, max_size=50),
    st.builds(lambda text, n: text * n, st.sampled_from("aż🦊"), st.integers(1, 40_000)),
)


def tokens(each):
    """Return the most tokens that an input has, if the service takes it at all."""
    return len(each) if isinstance(each, list) else min(len(each.encode("utf-8", "replace")) / 2, 8192)


@settings(deadline=None, max_examples=30)
@given(st.lists(TEXTS, max_size=30).map(lambda texts: texts * 40))
def test_spans_are_whole_and_within_the_limits(texts):
    """One after the other, without a gap."""
    found = list(spans(texts))
    assert [place for span in found for place in span] == list(range(len(texts)))
    for span in found:
        assert 1 <= len(span) <= MOST_INPUTS
        assert sum(tokens(texts[place]) for place in span) <= MOST_TOKENS_TOGETHER


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_short_inputs_fill_requests(count):
    """No request is smaller than it must be."""
    sizes = [len(span) for span in spans(["x"] * count)]
    assert sizes == [MOST_INPUTS] * (count // MOST_INPUTS) + [count % MOST_INPUTS] * (count % MOST_INPUTS > 0)


@given(st.integers(0, 100), st.integers(2, 100))
def test_halves_are_both_there(start, size):
    """Neither is empty."""
    first, second = halves(range(start, start + size))
    assert [*first, *second] == list(range(start, start + size))
    assert first
    assert second


def test_the_longest_is_by_bytes():
    """Characters that take more bytes count more."""
    assert longest(["aaaa", "żżż", "b"], range(3)) == 1
    assert longest(["aaaaaaaa", "żżż", "b"], range(1, 3)) == 1
    assert longest([[1], [1, 2]], range(2)) == 1


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1))
def test_lists_of_texts_are_what_they_are(texts):
    """Whatever the container."""
    assert as_inputs(texts) == as_inputs(iter(texts)) == as_inputs(tuple(texts)) == texts
