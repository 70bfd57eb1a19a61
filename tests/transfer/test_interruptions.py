"""Uploads that are cut on purpose, in the middle of a chunk, and what becomes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.protocols.chunked_server import ChunkedServer, reply
from tests.transfer.lab import CUT, EXACT, TAKES_S, Lab, a_file
from upswarm.content.base import File
from upswarm.protocols.chunked import Chunked
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import Flow, Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.habits import Cut, Habits, Interrupt, Spread
from upswarm.transfer.interruptions import Outlet
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.records import End
from upswarm.transfer.suspended import Suspended

INIT = reply(201, {"upload_id": "u1", "chunk_size_bytes": 1000})
TAKEN = reply(204)
AWAY_S = 30.0


def lids(after_ratio: float = 0.5, *, moves: bool = False, abort_ratio: float = 0.0) -> Habits:
    """Everybody closes the lid, after the same share of the bytes."""
    return Habits(Interrupt(1.0, Spread(after_ratio, after_ratio), Spread(AWAY_S, AWAY_S), moves), abort_ratio)


def bodies(lab: Lab) -> list[int]:
    return [len(sent.body) for sent in lab.transport.sent if sent.request.phase is Phase.CHUNK]


def test_the_body_stops_at_the_very_byte_and_the_upload_goes_on_after_a_while() -> None:
    server = ChunkedServer()
    lab = Lab(server, habits=lids())
    outcome = lab.upload(number=1)
    assert lab.steps == ["init", "chunk 0", "chunk 1", "probe", "chunk 1", "chunk 2", "finalize"]
    assert bodies(lab) == [1000, 250, 1000, 500]
    assert lab.clock.slept_s == [AWAY_S]
    assert (outcome.end, outcome.interruptions, outcome.resumes) == (End.FINISHED, 1, 1)
    assert server.file("u1") == b"".join(a_file().views(0, 2500))


def test_connections_are_closed_before_anybody_leaves() -> None:
    lab = Lab(ChunkedServer(), habits=lids())
    closed = []
    sleep = lab.clock.sleep
    lab.clock.sleep = lambda seconds: closed.append(lab.transport.closed) or sleep(seconds)  # type: ignore[method-assign]
    lab.upload(number=1)
    assert closed == [True]


def test_a_cut_on_purpose_is_no_failure_and_needs_no_attempt_of_the_policy() -> None:
    lab = Lab(ChunkedServer(), habits=lids(), retry=replace(EXACT, attempts=1))
    assert lab.upload(number=1).end is End.FINISHED
    assert [attempt.failure for attempt in lab.notebook.attempts] == [None, None, Failure.INTERRUPTED, *[None] * 4]
    assert {attempt.number for attempt in lab.notebook.attempts} == {1}


def test_the_time_away_is_not_the_targets_and_everything_else_is() -> None:
    outcome = Lab(ChunkedServer(), habits=lids()).upload(number=1)
    assert outcome.away_s == AWAY_S
    assert outcome.ended_s - outcome.due_s == AWAY_S + 6 * TAKES_S
    assert outcome.response_time_s == 6 * TAKES_S, "init, 3 chunks, probe, finalize: a cut body takes a script no time"


def test_a_machine_that_oversleeps_makes_the_probe_late_and_the_upload_slow() -> None:
    lab = Lab(ChunkedServer(), habits=lids())
    punctual = lab.clock.sleep

    def oversleep(seconds: float) -> None:
        punctual(seconds)
        lab.clock.advance(2)

    lab.clock.sleep = oversleep  # type: ignore[method-assign]
    outcome = lab.upload(number=1)
    (probe,) = [attempt for attempt in lab.notebook.attempts if attempt.phase is Phase.PROBE]
    assert (probe.response_time_s, probe.service_time_s) == (2 + TAKES_S, TAKES_S)
    assert outcome.response_time_s == 2 + 6 * TAKES_S


def test_what_went_out_more_than_once_is_counted_in_bytes_of_the_file() -> None:
    assert Lab(ChunkedServer(), habits=lids()).upload(number=1).resent_bytes == 250
    assert Lab(ChunkedServer()).upload(number=1).resent_bytes == 0


def test_what_a_retry_sends_again_is_counted_too() -> None:
    lab = Lab([INIT, reply(503), TAKEN, TAKEN, TAKEN, reply(201, {"file_id": "f1", "size_bytes": 2500})])
    assert lab.upload().resent_bytes == 1000


@pytest.mark.parametrize(("after_ratio", "sent"), [(0.0, [0]), (0.4, [1000]), (1.0, [1000, 1000, 500])])
def test_a_cut_may_come_before_the_first_byte_and_after_the_last_of_a_chunk(
    after_ratio: float, sent: list[int]
) -> None:
    """Then the answer is what gets lost."""
    lab = Lab(ChunkedServer(), habits=lids(after_ratio))
    assert lab.upload(number=1).end is End.FINISHED
    assert bodies(lab)[: len(sent)] == sent
    assert lab.steps[len(sent) + 1] == "probe"


def test_an_upload_without_a_number_is_left_alone() -> None:
    assert Lab(ChunkedServer(), habits=lids()).upload().interruptions == 0


def test_the_second_upload_is_interrupted_too() -> None:
    lab = Lab(ChunkedServer(), habits=lids())
    assert [lab.upload(number=number).interruptions for number in (1, 2)] == [1, 1]


def test_whoever_comes_back_to_a_forgotten_upload_begins_anew() -> None:
    server = ChunkedServer()

    def forgetful(request: Any) -> Any:
        if request.phase is Phase.PROBE:
            return reply(410, {"code": "upload_expired"})
        return server(request)

    outcome = Lab(forgetful, habits=lids()).upload(number=1)
    assert (outcome.end, outcome.interruptions, outcome.resumes, outcome.restarts) == (End.FINISHED, 1, 0, 1)
    assert outcome.resent_bytes == 1250
    assert server.file("u2") == b"".join(a_file().views(0, 2500))


def test_whoever_gives_up_asks_the_server_to_forget_the_upload() -> None:
    lab = Lab(ChunkedServer(), habits=Habits(abort_ratio=1.0, seed=3))
    outcome = lab.upload(number=1)
    assert (outcome.end, outcome.failure, outcome.receipt) == (End.ABORTED, None, None)
    assert lab.steps[-1] == "abort"
    assert sum(bodies(lab)) == Habits(abort_ratio=1.0, seed=3).cuts(1, 2500)[0].after_bytes
    assert [attempt.failure for attempt in lab.notebook.attempts[-2:]] == [Failure.INTERRUPTED, None]
    assert lab.notebook.outcomes == [outcome]
    assert lab.clock.slept_s == []


class Killed(BaseException):
    """As gevent's GreenletExit."""


@pytest.mark.parametrize("in_the_abort", [False, True])
def test_a_run_that_ends_while_somebody_is_away_stops_the_upload_and_tells_it_once(in_the_abort: bool) -> None:
    def answers(request: Any) -> Any:
        if request.phase is Phase.ABORT and in_the_abort:
            raise Killed
        return server(request)

    def killed(seconds: float) -> None:
        raise Killed

    server = ChunkedServer()
    lab = Lab(answers, habits=lids())
    lab.clock.sleep = killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        lab.upload(number=1)
    assert lab.steps[-1] == "abort"
    assert [outcome.end for outcome in lab.notebook.outcomes] == [End.STOPPED]


def test_a_run_that_ends_while_an_aborted_upload_is_aborted_has_told_its_end_already() -> None:
    def answers(request: Any) -> Any:
        if request.phase is Phase.ABORT:
            raise Killed
        return server(request)

    server = ChunkedServer()
    lab = Lab(answers, habits=Habits(abort_ratio=1.0))
    with pytest.raises(Killed):
        lab.upload(number=1)
    assert [outcome.end for outcome in lab.notebook.outcomes] == [End.ABORTED]


class Other:
    """Another worker with connections of its own; the clock of its host shows another time."""

    def __init__(self, server: Any) -> None:
        self.lab = Lab(server, habits=lids(moves=True))
        self.lab.clock.advance(5000)
        self.documents: list[str] = []

    def takes(self, suspended: Suspended) -> Any:
        self.documents.append(json.dumps(suspended.to_document()))
        return self.ends

    def ends(self) -> None:
        self.lab.uploader.resume(a_file(), Suspended.of_document(json.loads(self.documents[-1])))


def test_another_worker_goes_on_where_the_first_one_stopped_and_tells_the_end() -> None:
    server = ChunkedServer()
    other = Other(server)
    first = Lab(server, habits=lids(moves=True), elsewhere=other.takes)
    assert first.upload(number=1).end is End.MOVED
    assert first.notebook.outcomes == []
    assert first.steps == ["init", "chunk 0", "chunk 1"]
    assert other.lab.steps == ["probe", "chunk 1", "chunk 2", "finalize"]
    (outcome,) = other.lab.notebook.outcomes
    assert (outcome.end, outcome.interruptions, outcome.resumes) == (End.FINISHED, 1, 1)
    assert (outcome.resent_bytes, outcome.response_time_s) == (250, 6 * TAKES_S)
    assert server.file("u1") == b"".join(a_file().views(0, 2500))


def test_where_nobody_takes_an_upload_its_own_worker_goes_on() -> None:
    lab = Lab(ChunkedServer(), habits=lids(moves=True), elsewhere=lambda suspended: None)
    assert lab.upload(number=1).end is End.FINISHED


def test_an_upload_that_does_not_move_is_not_offered() -> None:
    lab = Lab(ChunkedServer(), habits=lids(), elsewhere=lambda suspended: pytest.fail("offered"))
    assert lab.upload(number=1).end is End.FINISHED


def test_a_run_that_ends_while_another_worker_has_the_upload_leaves_it_to_that_one() -> None:
    def until_killed() -> None:
        raise Killed

    lab = Lab(ChunkedServer(), habits=lids(moves=True), elsewhere=lambda suspended: until_killed)
    with pytest.raises(Killed):
        lab.upload(number=1)
    assert (lab.notebook.outcomes, lab.steps[-1]) == ([], "chunk 1")


def test_an_abort_that_is_due_after_the_move_happens_there() -> None:
    """File 0 of this seed is given up after its interruption."""
    habits = lids(0.1, moves=True, abort_ratio=1.0)
    assert [cut.resume_in_s for cut in habits.cuts(0, 2500)] == [AWAY_S, None]
    server = ChunkedServer()
    other = Lab(server, habits=habits)

    def takes(suspended: Suspended) -> Any:
        return lambda: other.uploader.resume(a_file(), suspended)

    Lab(server, habits=habits, elsewhere=takes).upload(number=0)
    assert [outcome.end for outcome in other.notebook.outcomes] == [End.ABORTED]
    assert server.sizes == {}


def test_a_closed_lid_ends_what_every_lane_sends_until_it_is_opened_again() -> None:
    outlet = Outlet(a_file(), [Cut(1250, AWAY_S)])
    first, second = outlet.views(16, 1000), outlet.views(1016, 1000)
    assert [len(next(first)), len(next(second))] == [1000, 1000]
    assert list(first) == []
    with pytest.raises(type(CUT)) as raised:
        list(second)
    assert raised.value.kind is Failure.INTERRUPTED
    for lane in (outlet.views(2000, 500), outlet.views(0, 1)):
        with pytest.raises(type(CUT)):
            next(lane)
    outlet.reopen()
    assert b"".join(outlet.views(0, 2500)) == b"".join(a_file().views(0, 2500))


def test_what_is_on_its_way_when_the_lid_is_closed_does_not_bring_the_next_cut_forward() -> None:
    outlet = Outlet(a_file(), [Cut(1000, AWAY_S), Cut(1500)])
    lanes = [outlet.views(16 + start, 500) for start in (0, 500, 1000)]
    for lane in lanes:
        next(lane)
    assert list(lanes[0]) == []
    for lane in lanes[1:]:
        with pytest.raises(type(CUT)):
            list(lane)
    assert outlet.cut == Cut(1000, AWAY_S)


def test_a_protocol_whose_init_carries_bytes_begins_again_after_a_cut_there() -> None:
    class Eager(Chunked):
        """Sends the file's first bytes with the request that begins the upload."""

        def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
            yield Request(Phase.INIT, "POST", "/eager", body=Body.of_chunk(file, Chunk(0, 0, 500)))
            return (yield from super().create(file, chunk_size_bytes))

    server = ChunkedServer()
    lab = Lab(
        lambda request: TAKEN if request.path == "/eager" else server(request),
        habits=lids(0.1, moves=True),
        elsewhere=lambda suspended: pytest.fail("offered"),
    )
    outcome = replace(lab.uploader, protocol=Eager("client-1")).upload(a_file(), number=1)
    assert lab.steps[:3] == ["init", "init", "init"]
    assert (outcome.end, outcome.interruptions, outcome.resumes) == (End.FINISHED, 1, 0)
