"""Real greenlets and the real clock: who is called, and who is sent home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest
from gevent.event import Event

from upswarm.swarm.uploading.dispatch import Dispatcher
from upswarm.transfer.clock import SystemClock
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.pacing import Arrival, Pacer
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.shares import Share

PATIENCE_S = 20


class Crew:
    """Users who upload until they are told to go, and what they took. An upload ends when `gate` is open."""

    def __init__(self, dispatcher: Dispatcher, users: int) -> None:
        self.dispatcher = dispatcher
        self.taken: list[Arrival] = []
        self.early: list[Arrival] = []
        self.busy: set[gevent.Greenlet] = set()
        self.gate = Event()
        self.users = [gevent.spawn(self._work) for _ in range(users)]
        self.greenlets = [gevent.spawn(dispatcher.run), *self.users]

    def _work(self) -> None:
        while (arrival := self.dispatcher.next_arrival()) is not None:
            self.taken.append(arrival)
            self.busy.add(gevent.getcurrent())
            if SystemClock().now() < self.dispatcher.due_at_s(arrival):
                self.early.append(arrival)
            try:
                self.gate.wait()
            finally:
                self.dispatcher.ended()

    def until(self, taken: int) -> None:
        """Wait until so many arrivals were taken."""
        with gevent.Timeout(PATIENCE_S):
            while len(self.taken) < taken:
                gevent.sleep(0.005)

    def until_home(self) -> None:
        """Wait until all has arrived and everybody has gone."""
        assert self.dispatcher.join(PATIENCE_S)
        self.dispatcher.close()
        gevent.joinall(self.greenlets, timeout=PATIENCE_S, raise_error=True)
        assert all(greenlet.successful() for greenlet in self.greenlets)


@contextmanager
def crew_for(pacer: Pacer, users: int) -> Iterator[Crew]:
    crew = Crew(Dispatcher(pacer, SystemClock()), users)
    try:
        yield crew
    finally:
        gevent.killall(crew.greenlets)


def recorded(*times_s: float, slots: int, max_wait_s: float = 0.0) -> Pacer:
    return Pacer(Replay(times_s, (0,) * len(times_s)), Share.of(0, 1, slots), max_wait_s)


@pytest.mark.parametrize("spacing", Spacing)
def test_every_arrival_is_handed_to_one_user_and_none_before_its_time(spacing: Spacing) -> None:
    arrivals = Arrivals(Rates((Ramp(0.4, 200, 200),)), spacing, seed=4)
    with crew_for(Pacer(arrivals, Share.of(0, 1, 50)), users=50) as crew:
        crew.gate.set()
        crew.until_home()
    assert [arrival.number for arrival in crew.taken] == list(range(arrivals.count))
    assert crew.early == []
    assert crew.dispatcher.tally.dropped == 0


def test_as_few_users_as_possible_are_called_so_that_their_connections_stay_warm() -> None:
    """One would do; on a machine that stands still for a moment, two arrivals may be due at once."""
    with crew_for(recorded(*(n / 50 for n in range(20)), slots=20), users=20) as crew:
        crew.gate.set()
        crew.until_home()
    assert len(crew.taken) == 20
    assert len(crew.busy) < 10


def test_what_finds_all_users_busy_is_dropped() -> None:
    with crew_for(recorded(0.0, 0.0, 0.03, 0.06, slots=2), users=2) as crew:
        crew.until(2)
        assert crew.dispatcher.join(PATIENCE_S)
        assert crew.dispatcher.tally.dropped == 2, "also while nobody ends an upload"
        crew.gate.set()
        crew.until_home()
    assert [arrival.number for arrival in crew.taken] == [0, 1]
    assert (crew.dispatcher.tally.begun, crew.dispatcher.tally.dropped) == (2, 2)


def test_or_waits_for_the_first_who_is_done() -> None:
    with crew_for(recorded(0.0, 0.01, 0.02, slots=1, max_wait_s=PATIENCE_S), users=1) as crew:
        crew.until(1)
        gevent.sleep(0.05)
        crew.gate.set()
        crew.until_home()
    assert [arrival.number for arrival in crew.taken] == [0, 1, 2]
    assert crew.taken[1].late_s >= 0.03
    assert (crew.dispatcher.tally.late, crew.dispatcher.tally.dropped) == (2, 0)


def test_an_arrival_that_no_user_is_there_for_waits_and_is_late() -> None:
    with crew_for(recorded(0.0, slots=1), users=0) as crew:
        gevent.sleep(0.05)
        arrival = crew.dispatcher.next_arrival()
        assert arrival is not None
        assert arrival.late_s >= 0.04
        crew.dispatcher.ended()
        crew.until_home()


def test_the_end_of_a_run_sends_everybody_home() -> None:
    with crew_for(recorded(0.0, 60.0, slots=3), users=3) as crew:
        crew.until(1)
        crew.dispatcher.close()
        crew.gate.set()
        crew.until_home()
        assert crew.dispatcher.next_arrival() is None
    assert (crew.dispatcher.tally.begun, crew.dispatcher.tally.dropped) == (1, 0)


def test_also_when_nobody_uploads() -> None:
    with crew_for(recorded(60.0, slots=3), users=3) as crew:
        gevent.sleep(0.01)
        crew.dispatcher.close()
        crew.until_home()
    assert crew.taken == []


def test_and_also_when_the_run_never_began() -> None:
    dispatcher = Dispatcher(recorded(0.0, slots=1), SystemClock())
    user = gevent.spawn(dispatcher.next_arrival)
    gevent.sleep(0)
    dispatcher.close()
    gevent.joinall([user], timeout=PATIENCE_S)
    assert user.successful()
    assert user.value is None


def test_a_schedule_begins_when_the_dispatcher_runs() -> None:
    dispatcher = Dispatcher(recorded(0.0, slots=1), SystemClock())
    gevent.sleep(0.05)
    ready_s = SystemClock().now()
    user, run = gevent.spawn(dispatcher.next_arrival), gevent.spawn(dispatcher.run)
    gevent.joinall([user], timeout=PATIENCE_S)
    run.kill()
    assert dispatcher.due_at_s(user.value) >= ready_s


def test_whoever_ends_a_run_can_wait_for_the_last_arrival() -> None:
    with crew_for(recorded(0.0, 0.1, slots=2), users=2) as crew:
        crew.gate.set()
        assert crew.dispatcher.join(PATIENCE_S)
        assert len(crew.taken) == 2
        crew.until_home()


def test_but_not_for_ever() -> None:
    with crew_for(recorded(0.0, 60.0, slots=2), users=2) as crew:
        assert not crew.dispatcher.join(0.05)
        assert [arrival.number for arrival in crew.taken] == [0]


def test_a_user_who_is_killed_while_waiting_is_not_called() -> None:
    with crew_for(recorded(0.1, slots=2), users=2) as crew:
        gevent.sleep(0.02)
        crew.users[1].kill()  # who would be called first
        crew.gate.set()
        crew.until_home()
    assert [arrival.number for arrival in crew.taken] == [0]


def test_a_user_who_is_killed_in_the_moment_of_the_call_gives_the_slot_back() -> None:
    pacer = recorded(0.0, slots=1)
    dispatcher = Dispatcher(pacer, SystemClock())
    user = gevent.spawn(dispatcher.next_arrival)
    gevent.sleep(0)
    run = gevent.spawn(dispatcher.run)  # calls the user before it has died
    user.kill(block=False)
    assert dispatcher.join(PATIENCE_S)
    gevent.joinall([user], timeout=PATIENCE_S)
    run.kill()
    assert pacer.tally.begun == 1
    assert pacer.in_flight == 0


def test_arrivals_that_others_may_have_taken_over_are_not_begun() -> None:
    """As after a sleep: all are due, and the share is another one's when it is known again whose it is."""
    share, allowed = Share.of(0, 1, 4), Event()
    dispatcher = Dispatcher(Pacer(Replay((0.0, 0.0, 0.0), (1, 1, 1)), share), SystemClock(), allowed.is_set)
    crew = Crew(dispatcher, 4)
    gevent.sleep(0.05)
    share.give(3)
    dispatcher.recut()
    allowed.set()
    crew.gate.set()
    crew.until(taken=1)
    gevent.sleep(0.3)
    dispatcher.close()
    gevent.joinall(crew.greenlets, timeout=PATIENCE_S)
    assert [arrival.number for arrival in crew.taken] == [0]
