"""Where users get their turns from, for each kind of load."""

from __future__ import annotations

import gevent
import pytest

from upswarm.swarm.uploading.feeds import Feed, QuotaFeed, Turn, feed_for
from upswarm.transfer.clock import SystemClock
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload
from upswarm.workload.pacing import Arrival
from upswarm.workload.replay import Replay
from upswarm.workload.shares import Share
from upswarm.workload.stages import Stage, Stages

PATIENCE_S = 20
CLOSED = ClosedLoad(Stages((Stage(1, 1),)))


class Ledger:
    """What became of arrivals."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.lost: list[int] = []

    def began(self, arrival: Arrival) -> None:
        self.begun.append(arrival.number)

    def dropped(self, number: int, due_s: float) -> None:
        self.lost.append(number)


def feed(workload: Workload, index: int = 0, workers: int = 1, ledger: Ledger | None = None) -> Feed:
    share = Share.of(index, workers, workload.slots(workers))
    return feed_for(workload, share, SystemClock(), ledger or Ledger())


def numbers(feed: Feed) -> list[int]:
    taken = []
    while (turn := feed.next()) is not None:
        taken.append(turn.number)
        feed.ended()
    return taken


def test_a_closed_load_has_always_another_file_until_the_run_ends() -> None:
    closed = feed(CLOSED, 1, 3)
    turns = [closed.next() for _ in range(3)]
    assert [(turn.number, turn.due_s) for turn in turns if turn] == [(1, None), (4, None), (7, None)]
    closed.close()
    assert closed.next() is None


@pytest.mark.parametrize("workers", [1, 2, 5, 9])
def test_iterations_are_used_up_on_any_number_of_workers(workers: int) -> None:
    feeds = [feed(FixedLoad(Iterations(23, 4)), index, workers) for index in range(workers)]
    assert sorted(number for each in feeds for number in numbers(each)) == list(range(23))
    assert all(isinstance(each, QuotaFeed) and each.used_up.is_set() for each in feeds)


def test_they_are_used_up_when_the_last_upload_has_ended_and_not_when_it_begins() -> None:
    fixed = QuotaFeed(Share.of(0, 1, 2), Iterations(2, 2))
    assert fixed.next()
    assert fixed.next()
    assert fixed.next() is None
    fixed.ended()
    assert not fixed.used_up.is_set()
    fixed.ended()
    assert fixed.used_up.is_set()


def test_arrivals_are_due_on_the_runs_clock_and_begin_with_the_users() -> None:
    ledger, clock = Ledger(), SystemClock()
    recorded = feed(OpenLoad(Replay((0.0, 0.05), (1, 1)), max_in_flight=2), ledger=ledger)
    gevent.sleep(0.02)
    before_s = clock.now()
    recorded.begin(clock.now())
    recorded.begin(clock.now())  # Locust says so with each change of the number of users
    first, second = recorded.next(), recorded.next()
    assert first
    assert second
    assert first.due_s
    assert second.due_s
    assert first.due_s >= before_s
    assert second.due_s - first.due_s == pytest.approx(0.05)
    assert (ledger.begun, ledger.lost) == ([0, 1], [])


def test_a_run_waits_for_the_last_arrival_and_drops_what_is_due_and_has_no_slot() -> None:
    ledger, clock = Ledger(), SystemClock()
    recorded = feed(OpenLoad(Replay((0.0, 0.01, 60.0), (1, 1, 1)), max_in_flight=1), ledger=ledger)
    recorded.begin(clock.now())
    assert recorded.next()
    recorded.await_all(0.1)
    recorded.close()
    assert recorded.next() is None
    assert (ledger.begun, ledger.lost) == ([0], [1])


def test_a_load_that_never_began_is_not_waited_for_longer_than_allowed() -> None:
    recorded = feed(OpenLoad(Replay((0.0,), (1,)), max_in_flight=1))
    with gevent.Timeout(PATIENCE_S):
        recorded.await_all(0.01)
    recorded.close()
    assert recorded.next() is None


def test_slots_change_hands_and_each_arrival_still_comes_once() -> None:
    ledgers, clock = (Ledger(), Ledger()), SystemClock()
    load = OpenLoad(Replay(tuple(n / 50 for n in range(10)), (1,) * 10), max_in_flight=4)
    giver, taker = feed(load, 0, 1, ledgers[0]), feed_for(load, Share(4), clock, ledgers[1])
    zero_s = clock.now()
    for each in (giver, taker):
        each.begin(zero_s)
    assert giver.next()
    taker.share.take(giver.share.give(2))
    for each in (giver, taker):
        each.recut()
    users = [gevent.spawn(numbers, each) for each in (giver, taker)]
    for each in (giver, taker):
        each.await_all(PATIENCE_S)
        each.close()
    gevent.joinall(users, timeout=PATIENCE_S, raise_error=True)
    assert sorted(ledgers[0].begun + ledgers[1].begun) == list(range(10))
    assert ledgers[1].begun == [3, 4, 7, 8]


def test_a_worker_whose_uploads_are_used_up_may_be_handed_more() -> None:
    fixed = QuotaFeed(Share(3), Iterations(3, 3))
    assert fixed.used_up.is_set()
    assert fixed.next() is None
    fixed.share.take([1])
    fixed.recut()
    assert not fixed.used_up.is_set()
    assert numbers(fixed) == [1]
    assert fixed.used_up.is_set()


def test_counted_uploads_that_others_may_have_taken_over_are_not_begun() -> None:
    allowed = [False]
    fixed = QuotaFeed(Share.of(0, 1, 2), Iterations(2, 2), lambda: allowed[0])
    assert fixed.next() is None
    allowed[0] = True
    assert fixed.next() == Turn(0)
