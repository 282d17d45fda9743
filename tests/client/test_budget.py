"""A limit of one's own stops before the quota does."""

import threading
import warnings

import pytest

import codex_nb
from codex_nb import Bearer, BudgetReached, InvalidOption, Session
from codex_nb.local import LocalBackend, Script, Turn
from codex_nb.wire.headers import QuotaWindow


@pytest.fixture
def session():
    """Give a session whose answers use a percent or more of the quota each."""
    with (
        LocalBackend(Script(turns=[Turn(text="word " * 20)] * 60), budget=1_000) as backend,
        Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4", max_retries=0) as opened,
    ):
        opened.backend_ = backend
        yield opened


def asked(backend):
    """Return how many answers were asked for."""
    return sum(request.path.endswith("codex/responses") for request in backend.requests)


def test_it_warns_then_stops_before_the_next_request(session):
    """At four fifths, and at the whole; the answer that reaches it comes to its end."""
    backend, answers = session.backend_, 0
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with codex_nb.budget(percent=20, session=session) as limit, pytest.raises(BudgetReached) as caught:  # noqa: PT012
            for _ in range(50):
                assert session.responses.create(input="word " * 10).output_text
                answers += 1
    assert [str(one.message) for one in told if "budget" in str(one.message)]
    assert answers == asked(backend) > 1
    assert limit.spent >= 20
    assert limit.left == 0
    assert caught.value.resets_at is not None
    assert "UTC" in caught.value.hint
    session.responses.create(input="outside of it, all is as it was")


def test_the_warning_names_the_users_line_and_loses_no_answer(session):
    """Where warnings are errors, the next request raises it, before it is sent."""
    backend = session.backend_
    session.responses.create(input="word " * 160)
    with codex_nb.budget(percent=20, session=session), pytest.warns(UserWarning, match="of the budget's 20 %") as told:
        session.responses.create(input="word " * 160)  # tells what the first one used
    assert told[0].filename == __file__
    with codex_nb.budget(percent=20, session=session), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert session.responses.create(input="word " * 160).output_text
        sent = asked(backend)
        with pytest.raises(UserWarning, match="of the budget's 20 %"):
            session.responses.create(input="x")
        assert asked(backend) == sent


def test_a_stream_is_stopped_alike(session):
    """The guard is where every request begins."""
    with codex_nb.budget(percent=1, session=session), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(5):
            try:
                with session.responses.stream(input="word " * 20) as stream:
                    stream.final()
            except BudgetReached:
                break
        else:
            pytest.fail("nothing stopped it")


def told(used, resets_at=1e9, slot="primary", minutes=300):
    """Return what an answer tells."""
    return QuotaWindow("codex", slot, used, minutes, resets_at)


@pytest.mark.parametrize(
    ("windows", "spent"),
    [
        ([told(10), told(13)], 3),
        ([told(10), told(4), told(12)], 2),
        ([told(90), told(1, 1e9 + 20_000)], 1),
        ([told(90), told(95), told(2, 1e9 + 20_000), told(91), told(3, 1e9 + 20_000)], 8),
        ([told(10), told(5, slot="secondary"), told(12), told(9, slot="secondary")], 4),
    ],
)
def test_what_is_used_is_counted_across_resets_and_late_answers(session, windows, spent):
    """Of the window that was used most."""
    session._core.learn_quota(windows[:1])
    with codex_nb.budget(percent=99, session=session) as limit:
        for one in windows[1:]:
            session._core.learn_quota([one])
        assert limit.spent == spent


def test_one_window_alone_can_be_counted(session):
    """By its name."""
    session._core.learn_quota([told(10), told(10, slot="secondary", minutes=10_080)])
    for window, spent in (("weekly", 1), ("Weekly ", 1), ("5h", 30), ("5 H", 30)):
        session._core.learn_quota([told(10), told(10, slot="secondary", minutes=10_080)])
        with codex_nb.budget(percent=50, session=session, window=window) as limit:
            session._core.learn_quota([told(40), told(11, slot="secondary", minutes=10_080)])
            assert limit.spent == spent


def test_a_window_that_there_is_not_is_refused(session):
    """It would guard nothing; at the beginning, as the service tells which there are."""
    refused = pytest.raises(InvalidOption, match="'wekly'")
    with refused as caught, codex_nb.budget(percent=5, session=session, window="wekly"):
        pytest.fail("it began")
    assert "'5 h', 'weekly'" in caught.value.hint
    assert session._core.budgets == []


def test_a_window_that_there_is_not_is_refused_once_answers_tell(session, monkeypatch):
    """Where the beginning does not tell: before the next request, and the answer that told is not lost."""
    monkeypatch.setattr("codex_nb.client.budget.Meter._asked", lambda _: [])
    with codex_nb.budget(percent=5, session=session, window="wekly"):
        assert session.responses.create(input="x").output_text
        with pytest.raises(InvalidOption, match="'wekly'"):
            session.responses.create(input="x")
    assert asked(session.backend_) == 1


def test_a_window_that_only_the_account_tells_of_is_counted(session):
    """Answers may tell of fewer windows than there are."""
    session._core.learn_quota([told(10)])
    with codex_nb.budget(percent=50, session=session, window="weekly"):
        pass


@pytest.mark.parametrize("percent", [0, -1, 101, float("nan"), "5", None])
def test_a_budget_that_is_none_is_refused(session, percent):
    """Before it begins."""
    with pytest.raises(InvalidOption, match="percentage"):
        codex_nb.budget(percent, session=session)


def test_several_threads_share_it(session):
    """Each word counts once."""
    session._core.learn_quota([told(0)])
    with codex_nb.budget(percent=100, session=session) as limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threads = [
            threading.Thread(target=lambda: [session._core.learn_quota([told(n)]) for n in range(0, 60, 3)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert limit.spent == 57
