from dataclasses import replace

import pytest

from tests.protocols.chunked_server import reply
from tests.transfer.lab import CUT, EXACT, TAKES_S, Lab, a_file
from upswarm.transfer.auth import bearer
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.exchange import at
from upswarm.transfer.failures import Failure, Fault, Interrupted
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.retry import RetryPolicy

OK, BUSY = reply(200), reply(503)
UNREACHABLE = Interrupted(Failure.UNREACHABLE, "Connection refused")
CHUNK = Chunk(0, 0, 2500)


def step(phase=Phase.PROBE, status=200, body=None):
    """A flow of one request, which wants this status."""
    response = yield Request(phase, "GET", "/x", body=body)
    if response.status != status:
        raise Fault(Failure.SERVER_ERROR, f"found {response.status}", status=response.status)
    return response.status


def test_a_flow_returns_what_it_returns():
    lab = Lab([OK])
    assert lab.exchange.drive(step()) == 200
    assert lab.notebook.story == [(Phase.PROBE, 1, None)]


def test_a_flow_that_asks_nothing_sends_nothing():
    def nothing():
        return "done"
        yield

    lab = Lab([])
    assert lab.exchange.drive(nothing()) == "done"
    assert lab.notebook.attempts == []


def late_refusal(kind=Failure.THROTTLED, kinds_of_success=1):
    """A step of which the first answers say under a 200 that the server can't now."""
    made = []

    def step():
        made.append(1)
        yield Request(Phase.FINALIZE, "POST", "/x")
        if len(made) <= kinds_of_success:
            raise Fault(kind, "200 SlowDown", status=200)
        return "done"

    return step


def test_a_refusal_under_a_status_of_success_is_retried_like_any_other():
    lab = Lab([OK, OK, OK])
    assert lab.exchange.perform(late_refusal(kinds_of_success=2), at(99.0)) == "done"
    assert lab.notebook.story == [
        (Phase.FINALIZE, 1, Failure.THROTTLED), (Phase.FINALIZE, 2, Failure.THROTTLED), (Phase.FINALIZE, 3, None),
    ]  # fmt: skip
    assert [attempt.due_s for attempt in lab.notebook.attempts] == [99.0, 101.25, 103.5]


def test_a_refusal_under_a_status_of_success_is_retried_no_more_often_than_any_other():
    lab = Lab([OK] * 4)
    with pytest.raises(Fault, match="SlowDown"):
        lab.exchange.perform(late_refusal(kinds_of_success=99))
    assert [attempt.number for attempt in lab.notebook.attempts] == [1, 2, 3, 4]


def test_a_wish_of_the_server_is_honoured_under_a_status_of_success_too():
    lab = Lab([reply(200, retry_after="9"), OK])
    lab.exchange.perform(late_refusal())
    assert lab.clock.slept_s == [9]


@pytest.mark.parametrize("kind", [Failure.BROKEN, Failure.CORRUPT, Failure.GONE])
def test_what_waiting_does_not_mend_is_not_retried_whatever_its_status(kind):
    lab = Lab([OK])
    with pytest.raises(Fault):
        lab.exchange.perform(late_refusal(kind))


def test_a_status_that_the_policy_leaves_out_is_not_retried_by_its_kind():
    lab = Lab([BUSY], retry=replace(EXACT, statuses=frozenset({429})))
    with pytest.raises(Fault):
        lab.exchange.perform(step)


def test_a_flow_of_two_requests_is_two_attempts():
    def two():
        first = yield Request(Phase.INIT, "POST", "/a")
        second = yield Request(Phase.INIT, "POST", "/b")
        return first.status, second.status

    lab = Lab([reply(201), reply(202)])
    assert lab.exchange.drive(two()) == (201, 202)
    assert [attempt.status for attempt in lab.notebook.attempts] == [201, 202]


def test_a_busy_answer_is_retried_after_growing_pauses():
    lab = Lab([BUSY, BUSY, BUSY, OK])
    assert lab.exchange.drive(step()) == 200
    assert lab.clock.slept_s == [1.0, 2.0, 4.0]
    assert lab.notebook.story == [
        (Phase.PROBE, 1, Failure.SERVER_ERROR), (Phase.PROBE, 2, Failure.SERVER_ERROR),
        (Phase.PROBE, 3, Failure.SERVER_ERROR), (Phase.PROBE, 4, None),
    ]  # fmt: skip


def test_every_attempt_says_when_it_was_due_sent_and_ended():
    lab = Lab([BUSY, UNREACHABLE, OK])
    lab.exchange.drive(step())
    times = [(attempt.due_s, attempt.sent_s, attempt.ended_s) for attempt in lab.notebook.attempts]
    assert times == [(100, 100, 100.25), (101.25, 101.25, 101.5), (103.5, 103.5, 103.75)]
    assert all(attempt.service_time_s == attempt.response_time_s == TAKES_S for attempt in lab.notebook.attempts)


def test_only_the_first_request_of_a_flow_was_due_when_the_flow_was():
    def two():
        yield Request(Phase.INIT, "POST", "/a")
        yield Request(Phase.INIT, "POST", "/b")

    lab = Lab([OK, OK])
    lab.exchange.drive(two(), due_s=90.0)
    assert [attempt.due_s for attempt in lab.notebook.attempts] == [90.0, 100.25]


def test_a_retry_is_due_after_its_pause_however_early_the_flow_was_due():
    lab = Lab([BUSY, OK])
    lab.exchange.drive(step(), due_s=90.0)
    assert [attempt.due_s for attempt in lab.notebook.attempts] == [90.0, 101.25]


def test_a_machine_that_wakes_late_lengthens_the_response_time_and_not_the_service_time():
    lab = Lab([BUSY, OK])
    punctual = lab.clock.sleep

    def oversleep(seconds):
        punctual(seconds)
        lab.clock.advance(0.5)

    lab.clock.sleep = oversleep
    lab.exchange.drive(step())
    retry = lab.notebook.attempts[1]
    assert (retry.response_time_s, retry.service_time_s) == (0.5 + TAKES_S, TAKES_S)


def test_signing_counts_as_response_time_and_not_as_service_time():
    lab = Lab([OK], sign=lambda request: lab.clock.advance(3) or request)
    lab.exchange.drive(step())
    (attempt,) = lab.notebook.attempts
    assert (attempt.response_time_s, attempt.service_time_s) == (3 + TAKES_S, TAKES_S)


def test_every_try_is_signed_anew():
    lab = Lab([BUSY, OK], sign=bearer("secret", "http://h:1"))
    lab.exchange.drive(step())
    assert [sent.request.headers["Authorization"] for sent in lab.transport.sent] == ["Bearer secret"] * 2


@pytest.mark.parametrize("retry_after", ["7", "Tue, 14 Nov 2023 22:13:27 GMT"])
def test_a_retry_after_is_honoured(retry_after):
    lab = Lab([reply(503, retry_after=retry_after), OK])
    lab.exchange.drive(step())
    (slept_s,) = lab.clock.slept_s
    assert slept_s == pytest.approx(7, abs=TAKES_S)
    assert lab.notebook.attempts[1].due_s == pytest.approx(100 + TAKES_S + slept_s)
    assert lab.notebook.attempts[0].failure is Failure.THROTTLED


def test_no_attempt_is_left_after_the_last_and_nobody_sleeps_then():
    lab = Lab([BUSY] * 4)
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    assert len(lab.transport.sent) == 4
    assert lab.clock.slept_s == [1.0, 2.0, 4.0]
    assert [attempt.failure for attempt in lab.notebook.attempts] == [Failure.SERVER_ERROR] * 4
    assert lab.notebook.attempts[-1].message == "found 503"


def test_one_attempt_is_no_retry():
    lab = Lab([BUSY], retry=replace(EXACT, attempts=1))
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    assert lab.clock.slept_s == []


@pytest.mark.parametrize("status", [400, 404, 409, 501, 507])
def test_a_status_that_the_policy_does_not_name_is_not_retried(status):
    lab = Lab([reply(status)])
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    assert len(lab.transport.sent) == 1


def test_the_policy_decides_which_statuses_are_retried():
    lab = Lab([reply(404), OK], retry=RetryPolicy(statuses=frozenset({404})))
    assert lab.exchange.drive(step()) == 200


@pytest.mark.parametrize("phase", [Phase.INIT, Phase.PROBE, Phase.FINALIZE])
def test_a_request_without_an_answer_is_retried(phase):
    lab = Lab([CUT, UNREACHABLE, OK])
    assert lab.exchange.drive(step(phase)) == 200
    assert [attempt.failure for attempt in lab.notebook.attempts] == [Failure.TORN, Failure.UNREACHABLE, None]
    assert lab.notebook.attempts[1].message == "Connection refused"
    assert lab.notebook.attempts[1].status is None


def test_a_request_that_is_never_answered_ends_as_interrupted():
    lab = Lab([CUT] * 4)
    with pytest.raises(Interrupted):
        lab.exchange.drive(step())
    assert len(lab.notebook.attempts) == 4


def test_a_cut_chunk_is_not_sent_again_without_a_probe():
    lab = Lab([CUT])
    with pytest.raises(Interrupted):
        lab.exchange.drive(step(Phase.CHUNK))
    assert lab.clock.slept_s == []
    assert lab.notebook.story == [(Phase.CHUNK, 1, Failure.TORN)]


def test_a_chunk_that_was_answered_busy_is_sent_again():
    lab = Lab([BUSY, OK])
    assert lab.exchange.drive(step(Phase.CHUNK)) == 200


@pytest.mark.parametrize("answer", [CUT, BUSY])
def test_an_abort_is_tried_once(answer):
    lab = Lab([answer])
    with pytest.raises((Fault, Interrupted)):
        lab.exchange.drive(step(Phase.ABORT))
    assert (len(lab.transport.sent), lab.clock.slept_s) == (1, [])


def test_the_bytes_of_every_try_are_counted():
    lab = Lab([BUSY, OK])
    lab.exchange.drive(step(Phase.CHUNK, body=Body.of_chunk(a_file(), CHUNK)))
    assert [attempt.bytes_sent for attempt in lab.notebook.attempts] == [2500, 2500]
    assert [len(sent.body) for sent in lab.transport.sent] == [2500, 2500]


def test_an_attempt_knows_which_chunk_it_carried():
    lab = Lab([OK])
    lab.exchange.drive(step(Phase.CHUNK, body=Body.of_chunk(a_file(), CHUNK)))
    (attempt,) = lab.notebook.attempts
    assert attempt.asked.body.chunk == CHUNK.index


def test_only_the_bytes_that_the_transport_took_are_counted():
    lab = Lab([OK])

    def cut_after_two_views(request):
        views = iter(request.body)
        for _ in range(3):
            next(views)
        raise CUT

    lab.transport.send = cut_after_two_views
    with pytest.raises(Interrupted):
        lab.exchange.drive(step(Phase.CHUNK, body=Body.of_chunk(a_file(5 << 20), Chunk(0, 0, 5 << 20))))
    assert lab.notebook.attempts[0].bytes_sent == 1 << 20  # the tag and the window of one block


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit, RuntimeError])
def test_a_user_stopped_in_the_middle_leaves_an_attempt_that_says_so(stop):
    lab = Lab([stop()])
    with pytest.raises(stop):
        lab.exchange.drive(step())
    assert lab.notebook.story == [(Phase.PROBE, 1, Failure.STOPPED)]
    assert lab.notebook.attempts[0].ended_s == 100 + TAKES_S


def test_a_user_stopped_in_a_pause_leaves_no_attempt_of_a_request_that_was_not_sent():
    lab = Lab([BUSY])

    def killed(seconds):
        raise KeyboardInterrupt

    lab.clock.sleep = killed
    with pytest.raises(KeyboardInterrupt):
        lab.exchange.drive(step())
    assert lab.notebook.story == [(Phase.PROBE, 1, Failure.SERVER_ERROR)]


def test_a_request_whose_answer_a_dialect_stumbles_over_is_counted_all_the_same():
    def stumbling():
        yield Request(Phase.PROBE, "GET", "/x")
        raise KeyError("a mistake of the dialect's own")

    lab = Lab([OK])
    with pytest.raises(KeyError):
        lab.exchange.drive(stumbling())
    assert lab.notebook.story == [(Phase.PROBE, 1, Failure.BROKEN)]
