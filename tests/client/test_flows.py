"""What a flow may ask for is done on either face."""

import threading
import time

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script
from codex_nb.wire.call import Blocking, Call, Pause, Together


def drive(face, backend, flow, **options):
    """Run ``flow`` on the driver of a session's face."""
    return face.run(backend, lambda one: one._driver.run(flow), **options)


class Stored:
    """A body kept somewhere, in pieces."""

    def __init__(self, *pieces):
        self.pieces = pieces
        self.size = sum(map(len, pieces))

    def chunks(self):
        """Give the pieces."""
        yield from self.pieces


class Crowd:
    """Counts who is inside."""

    def __init__(self):
        self.inside = self.most = self.came = 0
        self.lock = threading.Lock()

    def visit(self, number):
        """Come in, stay a moment, leave."""
        with self.lock:
            self.inside, self.came = self.inside + 1, self.came + 1
            self.most = max(self.most, self.inside)
        time.sleep(0.01)
        with self.lock:
            self.inside -= 1
        return number


@pytest.fixture
def backend(make_backend):
    """Return a backend that answers anything under /v1/any."""
    return make_backend(Script(faults=[Fault.reply(200, {"ok": True}).on("/v1/any", "POST")]))


def visits(crowd, count):
    """Give flows that visit and say their number; the first ones take longest."""
    for number in range(count):

        def flow(number=number):
            yield Pause(0.02 if number == 0 else 0)
            return (yield Blocking(lambda: crowd.visit(number)))

        yield flow()


def test_flows_run_side_by_side_within_the_limit_and_in_order(face, backend):
    """Results come in the order of the flows, whichever ends first, and never more run at once than asked."""
    crowd = Crowd()

    def both():
        return (yield Together(visits(crowd, 12), limit=3))

    assert drive(face, backend, both()) == list(range(12))
    assert 1 < crowd.most <= 3


def test_flows_are_taken_up_as_there_is_room(face, backend):
    """What is to be run is not asked for long before it can be."""
    crowd, taken = Crowd(), []

    def watched():
        for number, flow in enumerate(visits(crowd, 10)):
            taken.append(number - crowd.came)
            yield flow

    def both():
        return (yield Together(watched(), limit=2))

    drive(face, backend, both())
    assert max(taken) <= 3


def test_the_first_error_stops_the_rest_and_can_be_caught(face, backend):
    """A flow sees the error of one of those it runs; those not yet begun never are."""
    begun, caught = [], threading.Event()

    def flow(number):
        begun.append(number)
        yield Blocking(lambda: number == 0 or caught.wait(10))
        raise errors.NotFoundError(f"no {number}", status_code=404)

    def both():
        try:
            yield Together(map(flow, range(50)), limit=2)
        except errors.NotFoundError as error:
            caught.set()
            return error.message

    assert drive(face, backend, both()) == "no 0"
    assert begun in ([0], [0, 1])


def test_what_is_left_to_do_with_a_result_keeps_no_place(face, backend):
    """The next flow begins before the first result is finished, and results are those of what was left."""
    begun = threading.Event()

    def flow(number):
        yield Pause(0)
        if number == 2:
            begun.set()
        return number

    def finish(number):
        assert begun.wait(10)
        return -number

    def both():
        return (yield Together(map(flow, range(5)), limit=2, then=finish))

    assert drive(face, backend, both()) == [0, -1, -2, -3, -4]


def test_results_that_wait_to_be_finished_are_few(face, backend):
    """Half as many as run at once, however slow the rest of the work is."""
    begun, finished, most = [], [], []

    def flow(number):
        begun.append(number)
        most.append(len(begun) - len(finished))
        yield Pause(0)

    def finish(_):
        time.sleep(0.01)
        finished.append(None)

    def both():
        return (yield Together(map(flow, range(20)), limit=4, then=finish))

    drive(face, backend, both())
    assert max(most) <= 6


def test_an_error_in_what_is_left_stops_the_rest(face, backend):
    """It is the flow's, like one of the flows themselves."""
    begun = []

    def flow(number):
        begun.append(number)
        yield Pause(0)

    def finish(_):
        raise errors.MalformedStream("no vectors")

    def both():
        try:
            yield Together(map(flow, range(50)), limit=2, then=finish)
        except errors.MalformedStream as error:
            return error.message

    assert drive(face, backend, both()) == "no vectors"
    assert len(begun) < 10


def test_no_flows_give_no_results(face, backend):
    """An empty list is an answer."""

    def none():
        return (yield Together([], limit=4))

    assert drive(face, backend, none()) == []


def test_a_form_is_encoded(face, backend):
    """Names and values go as a form does."""

    def post():
        return (yield Call("POST", "platform/any", form={"code": "a b&c", "ż": "1"}))

    assert drive(face, backend, post()).json() == {"ok": True}
    request = backend.requests[-1]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.content == b"code=a+b%26c&%C5%BC=1"


def test_a_streamed_body_says_its_size_and_is_sent_again_whole(face, make_backend):
    """A body in pieces goes with its length, not chunked, and a second attempt begins at its beginning."""
    backend = make_backend(
        Script(
            faults=[
                Fault.server_error(503, path="/v1/any"),
                Fault.reply(200, {"ok": True}).on("/v1/any", "POST"),
            ]
        )
    )

    def put():
        return (yield Call("POST", "platform/any", content=Stored(b"first ", b"second ", b"third")))

    assert drive(face, backend, put(), max_retries=1).json() == {"ok": True}
    assert [request.content for request in backend.requests] == [b"first second third"] * 2
    assert backend.requests[-1].headers["content-length"] == "18"
    assert "transfer-encoding" not in backend.requests[-1].headers


def test_a_flow_that_is_left_is_closed(face, backend):
    """What a flow holds (a lock) is let go when the caller's work fails outside the errors of this package."""
    closed = []

    def holding():
        try:
            yield Blocking(lambda: 1 / 0)
        finally:
            closed.append(True)

    with pytest.raises(ZeroDivisionError):
        drive(face, backend, holding())
    assert closed == [True]
