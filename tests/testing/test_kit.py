import pytest

from upswarm.testing.clock import FakeClock
from upswarm.testing.observer import Notebook
from upswarm.testing.transport import ScriptedTransport
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.records import Attempt, End, Outcome

PROBE = Request(Phase.PROBE, "GET", "/x")


def test_a_fake_clock_moves_only_when_told_and_remembers_the_sleeps():
    clock = FakeClock(now_s=5, wall_s=1000)
    clock.sleep(2)
    clock.advance(3)
    assert (clock.now(), clock.wall(), clock.slept_s) == (10, 1005, [2])


@pytest.mark.parametrize("move", [FakeClock().sleep, FakeClock().advance])
def test_time_does_not_go_backwards(move):
    with pytest.raises(ValueError, match="expected seconds to pass, found -1"):
        move(-1)


def test_a_script_is_answered_in_turn_and_what_was_sent_is_kept():
    transport = ScriptedTransport([Response(204), Interrupted(Failure.TORN), Response(200)])
    request = Request(Phase.CHUNK, "PUT", "/x", body=Body.of_bytes(b"abc"))
    assert transport.send(request).status == 204
    with pytest.raises(Interrupted):
        transport.send(PROBE)
    assert transport.send(PROBE).status == 200
    assert [(sent.request, sent.body) for sent in transport.sent] == [(request, b"abc"), (PROBE, b""), (PROBE, b"")]
    assert transport.phases == [Phase.CHUNK, Phase.PROBE, Phase.PROBE]


def test_a_script_may_be_a_function():
    assert ScriptedTransport(lambda request: Response(len(request.path))).send(PROBE).status == 2


def test_a_script_that_is_too_short_says_for_which_request():
    with pytest.raises(AssertionError, match="no answer left for GET /x"):
        ScriptedTransport([]).send(PROBE)


def test_a_request_takes_its_time_also_when_it_fails():
    clock = FakeClock()
    transport = ScriptedTransport([Interrupted(Failure.TORN)], clock=clock, takes_s=0.5)
    with pytest.raises(Interrupted):
        transport.send(PROBE)
    assert (clock.now(), clock.slept_s) == (0.5, [])


def test_a_body_is_read_to_its_end_before_the_answer_comes():
    read = []
    body = Body.of_bytes(b"abc").told(read.append)
    ScriptedTransport(lambda request: Response(sum(read))).send(Request(Phase.CHUNK, "PUT", "/x", body=body))
    assert read == [3]


def test_a_scripted_transport_remembers_that_it_was_closed():
    transport = ScriptedTransport([])
    assert not transport.closed
    transport.close()
    assert transport.closed


def test_a_notebook_keeps_everything_in_order():
    notebook = Notebook()
    attempt = Attempt(Phase.INIT, 1, 0, 0, 1, 0, failure=Failure.SERVER_ERROR)
    outcome = Outcome(End.FAILED, "a.bin", 1, 0, 1)
    notebook.attempted(attempt)
    notebook.ended(outcome)
    assert (notebook.attempts, notebook.outcomes) == ([attempt], [outcome])
    assert notebook.story == [(Phase.INIT, 1, Failure.SERVER_ERROR)]
