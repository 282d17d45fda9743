"""The painter: how often it paints, and that the last state is whole."""

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
    assert interval(characters) == pytest.approx(seconds)


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
