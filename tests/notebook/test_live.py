"""The painter: how often it paints, and that the last state is whole."""

import contextlib
import threading

import pytest
from IPython.core.interactiveshell import InteractiveShell

from codex_nb.notebook.live import Live, interval


class Publisher:
    """Stands where IPython's display publisher stands and keeps what is shown."""

    def __init__(self):
        self.shown = []

    def publish(self, data, _metadata=None, *, transient=None, update=False, **_):
        """Keep one message."""
        self.shown.append((transient["display_id"], update, data))


@pytest.fixture
def page():
    """A shell whose outputs are kept."""
    shell = InteractiveShell.instance()
    shell.display_pub = Publisher()
    yield shell.display_pub
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(("characters", "seconds"), [(0, 1 / 15), (5_000, 1 / 15), (85_000, 1.0), (850_000, 10.0)])
def test_the_longer_the_text_the_rarer_the_painting(characters, seconds):
    """At most 15 a second, and at most 85 000 characters a second."""
    assert interval({"text/markdown": "x" * characters}) == pytest.approx(seconds)


def test_a_long_answer_is_painted_calmly():
    """Every 0.4 s is enough for the end of a long text, and formulas count for what they cost."""
    assert interval({"text/markdown": "x"}, 10_000) == pytest.approx(0.1)
    assert interval({"text/markdown": "x"}, 1_000_000) == pytest.approx(0.4)
    assert interval({"text/markdown": "$x$" * 1_000}, 0) == pytest.approx(103_000 / 85_000)


def test_many_deltas_are_few_messages_and_the_last_state_is_whole(page):
    """Two thousand words in a moment are not two thousand messages."""
    with Live("m", stop_button=False) as painter:
        for number in range(2_000):
            painter.add(f"word{number} ")
        painter.end({"text/plain": "receipt"})
    assert len(page.shown) < 40
    answer = [data for display, _, data in page.shown if display == page.shown[0][0]]
    assert answer[-1]["text/plain"] == "".join(f"word{number} " for number in range(2_000))
    assert page.shown[-1][2]["text/plain"] == "receipt"


def test_the_structure_of_the_output_is_constant(page):
    """Each of the two outputs is shown once and then replaced."""
    with Live("m", stop_button=False) as painter:
        painter.add("a")
        painter.end({"text/plain": "receipt"})
    firsts = [display for display, update, _ in page.shown if not update]
    assert len(firsts) == len(set(firsts)) == 2


def test_the_last_state_is_painted_when_the_answer_breaks_off(page):
    """Whatever ends it, nothing that came is lost."""
    with pytest.raises(KeyboardInterrupt), Live("m", stop_button=False) as painter:  # noqa: PT012
        painter.add("half")
        raise KeyboardInterrupt
    assert page.shown[-1][2] == {"text/markdown": "half", "text/plain": "half"}


def test_an_answer_that_never_came_leaves_no_waiting_line(page):
    """The error stands alone."""
    with pytest.raises(ValueError, match="x"), Live("m", stop_button=False):
        raise ValueError("x")
    assert page.shown[-1][2] == {"text/html": "", "text/plain": ""}


def test_what_is_waited_for_is_named_until_there_is_text(page):
    """The model, then a call that may need the user, then the model again."""
    with Live("gpt-5.4", stop_button=False) as painter:
        painter.wait_for("delete_file()")
        painter.wait_for("gpt-5.4")
        painter.add("Done.")
        painter.wait_for("another()")
    answer = [data.get("text/markdown", "") for display, _, data in page.shown if display == page.shown[0][0]]
    named = ["gpt-5.4", "delete_file()", "gpt-5.4", "Done.", "Done."]
    assert [part.replace("\\", "") for part in answer] == [
        name if name == "Done." else f"*Waiting for {name} …*" for name in named
    ]


PART = "## Part\n\nWords of it, with a [link][there].\n\n```python\nx = 1\n\ny = 2\n```\n\n"
LONG = (
    "".join(PART.replace("Part", f"Part {number}") for number in range(380))
    + "[there]: https://example.org\n\nThe end."
)


def standing(page):
    """Return the outputs as they stand in the end, in their order in the cell."""
    last = {}
    for display, update, data in page.shown:
        assert update == (display in last)
        last[display] = data
    return list(last.values())


@pytest.mark.parametrize("size", [7, 4_001, len(LONG)])
@pytest.mark.parametrize("stop_button", [True, False])
def test_a_long_answer_goes_on_in_further_outputs(page, size, stop_button):
    """However it came, the same passages stand above the receipt; each is whole and begins at the margin."""
    with Live("m", stop_button=stop_button) as painter:
        for at in range(0, len(LONG), size):
            painter.add(LONG[at : at + size])
        painter.end({"text/plain": "receipt"})
    *passages, line = standing(page)
    assert line == {"text/plain": "receipt"}
    assert "".join(passage["text/plain"] for passage in passages) == LONG
    assert [len(passage["text/plain"]) // 1_000 for passage in passages] == [10, 10, 9]
    # The definition stands in the last one only.
    assert all("[link](https://example.org)" in passage["text/markdown"] for passage in passages)


def test_what_is_full_is_not_painted_again(page):
    """A front end draws the passage that grows, and nothing of what stands above it."""
    text = LONG.replace("[link][there]", "link")
    with Live("m", stop_button=False) as painter:
        for at in range(0, len(text), 500):
            painter.add(text[at : at + 500])
            painter._next = 0.0
    first = [number for number, (display, _, _) in enumerate(page.shown) if display == page.shown[0][0]]
    assert first == list(range(len(first)))
    assert max(len(data["text/markdown"]) for _, _, data in page.shown) < 13_000


@pytest.mark.parametrize("broken_at", range(1, 9))
def test_an_interrupt_between_two_passages_loses_nothing(page, broken_at):
    """Wherever the kernel is interrupted while an answer goes on in the next output, all of it stands in the end."""
    publish, calls = page.publish, 0

    def interrupted(*given, **options):
        nonlocal calls
        if threading.current_thread() is threading.main_thread():  # the only one that an interrupt reaches
            calls += 1
            if calls == broken_at:
                raise KeyboardInterrupt
        publish(*given, **options)

    with Live("m") as painter:
        painter.add(LONG[:8])
        page.publish = interrupted
        with contextlib.suppress(KeyboardInterrupt):
            for at in range(8, len(LONG), 9_000):
                painter._next = 0.0
                painter.add(LONG[at : at + 9_000])
        painter.catch_up(LONG)
    *passages, line = standing(page)
    assert "".join(passage["text/plain"] for passage in passages) == LONG
    assert line == {"text/html": "", "text/plain": ""}


def test_code_without_an_end_stays_in_one_output(page):
    """There is no place to cut it."""
    with Live("m", stop_button=False) as painter:
        painter.add("```python\n" + "x = 1\n\n" * 5_000)
    assert len(standing(page)) == 1
