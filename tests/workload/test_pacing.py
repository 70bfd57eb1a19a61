"""What becomes of arrivals: a pacer is driven by hand, and played against servers that are only functions."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.testing.clock import FakeClock
from upswarm.testing.pacing import Played, play
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.pacing import PUNCTUAL_S, Arrival, Pacer
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.shares import Share


def pacer_at(*times_s: float, slots: int = 1, max_wait_s: float = 0.0) -> Pacer:
    return Pacer(Replay(times_s, (0,) * len(times_s)), Share.of(0, 1, slots), max_wait_s)


def test_nothing_begins_before_it_is_due():
    pacer = pacer_at(2.0)
    assert (pacer.begin(1.999), pacer.next_due_s, pacer.wake_s) == (None, 2.0, 2.0)
    arrival = pacer.begin(2.0)
    assert (arrival.number, arrival.due_s, arrival.began_s, arrival.late_s) == (0, 2.0, 2.0, 0.0)
    assert (pacer.begin(3.0), pacer.next_due_s, pacer.wake_s) == (None, None, None)


def test_several_that_are_due_begin_in_order_as_long_as_there_are_slots():
    pacer = pacer_at(1.0, 1.0, 1.0, 1.5, slots=3)
    assert [pacer.begin(1.0).number for _ in range(3)] == [0, 1, 2]
    assert pacer.in_flight == 3
    assert pacer.begin(1.4) is None


def test_without_a_free_slot_an_arrival_is_dropped_at_once_and_counted():
    pacer = pacer_at(0.0, 1.0, 2.0)
    pacer.begin(0.0)
    assert pacer.begin(1.0) is None
    assert (pacer.tally.dropped, pacer.next_due_s) == (1, 2.0)
    pacer.end(1.5)
    assert pacer.begin(2.0).number == 2
    assert (pacer.tally.begun, pacer.tally.late) == (2, 0)


def test_a_drop_is_noticed_also_when_nobody_looked():
    pacer = pacer_at(0.0, 1.0, 2.0, 9.0)
    pacer.begin(0.0)
    pacer.end(5.0)
    assert (pacer.tally.dropped, pacer.next_due_s) == (2, 9.0)


def test_an_arrival_waits_for_a_slot_as_long_as_it_may_and_is_late():
    pacer = pacer_at(0.0, 1.0, max_wait_s=3.0)
    pacer.begin(0.0)
    assert (pacer.begin(3.9), pacer.wake_s) == (None, 4.0)
    pacer.end(4.0)
    arrival = pacer.begin(4.0)
    assert (arrival.due_s, arrival.late_s) == (1.0, 3.0)
    tally = pacer.tally
    assert (tally.begun, tally.late, tally.dropped, tally.waited_s, tally.longest_wait_s) == (2, 1, 0, 3.0, 3.0)


def test_and_is_dropped_when_it_has_waited_so_long():
    pacer = pacer_at(0.0, 1.0, max_wait_s=3.0)
    pacer.begin(0.0)
    assert pacer.begin(4.0) is None
    assert (pacer.tally.dropped, pacer.wake_s) == (1, None)


def test_a_generator_that_wakes_up_too_late_drops_nothing_that_had_a_slot():
    pacer = pacer_at(1.0, 2.0, slots=2)
    late = [pacer.begin(5.0).late_s, pacer.begin(5.0).late_s]
    assert late == [4.0, 3.0]
    assert (pacer.tally.late, pacer.tally.dropped) == (2, 0)


def test_a_few_milliseconds_are_not_late_but_known():
    pacer = pacer_at(1.0)
    pacer.begin(1.0 + PUNCTUAL_S / 2)
    assert pacer.tally.late == 0
    assert pacer.tally.waited_s == pytest.approx(PUNCTUAL_S / 2)


def test_when_the_run_is_over_what_waits_is_dropped_and_the_rest_never_comes():
    pacer = pacer_at(0.0, 1.0, 2.0, 3.0, max_wait_s=60.0)
    pacer.begin(0.0)
    pacer.close(2.5)
    assert (pacer.tally.begun, pacer.tally.dropped, pacer.wake_s, pacer.begin(9.0)) == (1, 2, None, None)
    pacer.end(9.0)


class Diary:
    def __init__(self) -> None:
        self.lines: list[tuple[str, int, float]] = []

    def began(self, arrival: Arrival) -> None:
        self.lines.append(("late" if arrival.late else "began", arrival.number, arrival.due_s))

    def dropped(self, number: int, due_s: float) -> None:
        self.lines.append(("dropped", number, due_s))


def test_an_observer_is_told_of_each_arrival_in_order():
    diary = Diary()
    pacer = Pacer(Replay((0.0, 1.0, 2.0, 3.0), (0,) * 4), Share.of(0, 1, 1), observer=diary)
    pacer.begin(0.0)
    pacer.begin(1.5)
    pacer.end(1.6)
    pacer.begin(2.2)
    pacer.close(4.0)
    assert diary.lines == [("began", 0, 0.0), ("dropped", 1, 1.0), ("late", 2, 2.0), ("dropped", 3, 3.0)]


def test_an_end_without_a_beginning_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="expected an upload in flight"):
        pacer_at(1.0).end(0.5)


@dataclass(frozen=True)
class Queue:
    """The same rules told in another way: so many servers, first come first served, and nobody waits for ever."""

    slots: int
    max_wait_s: int

    def began_s(self, due_s: list[int], service_s: int) -> list[int | None]:
        free_s = [0] * self.slots
        began: list[int | None] = []
        for due in due_s:
            begin_s = max(due, free_s[0])
            if begin_s - due > self.max_wait_s:
                began.append(None)
            else:
                began.append(begin_s)
                heapq.heapreplace(free_s, begin_s + service_s)
        return began


due_times = st.lists(st.integers(0, 60), min_size=1, max_size=60).map(sorted)


@given(due_times, st.integers(1, 5), st.integers(0, 20), st.integers(1, 15))
def test_a_pacer_does_what_a_queue_with_so_many_servers_does(due_s, slots, max_wait_s, service_s):
    pacer = Pacer(Replay(tuple(map(float, due_s)), (0,) * len(due_s)), Share.of(0, 1, slots), max_wait_s)
    played = play(pacer, lambda _: service_s, FakeClock())
    began = Queue(slots, max_wait_s).began_s(due_s, service_s)
    assert {each.arrival.number: each.arrival.began_s for each in played} == {
        number: begin_s for number, begin_s in enumerate(began) if begin_s is not None
    }
    assert pacer.tally.dropped == began.count(None)
    assert pacer.tally.late == sum(
        begin_s is not None and begin_s > due for begin_s, due in zip(began, due_s, strict=True)
    )


class Sleepy(FakeClock):
    """A machine so busy that every sleep takes 30 ms more."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds + 0.03)


TWENTY_A_SECOND = Rates((Ramp(7, 20, 20),))


def test_a_busy_generator_is_seen_in_late_arrivals_and_not_in_dropped_ones():
    pacer = Pacer(Arrivals(TWENTY_A_SECOND), Share.of(0, 1, 500))
    played = play(pacer, lambda _: 0.001, Sleepy())
    assert (pacer.tally.begun, pacer.tally.dropped) == (140, 0)
    assert pacer.tally.late > 100
    assert pacer.tally.longest_wait_s < 0.1
    assert max(each.response_time_s for each in played) == pytest.approx(pacer.tally.longest_wait_s + 0.001)


@pytest.mark.parametrize("started_s", [0.0, 123_456.789])
@pytest.mark.parametrize("spacing", Spacing)
def test_a_target_that_is_quick_enough_drops_nothing_and_nothing_is_late(spacing, started_s):
    arrivals = Arrivals(Rates((Ramp(60, 0, 50), Ramp(60, 50, 50))), spacing, seed=1)
    pacer = Pacer(arrivals, Share.of(0, 1, 100))
    play(pacer, lambda _: 0.05, FakeClock(started_s))
    assert (pacer.tally.begun, pacer.tally.late, pacer.tally.dropped) == (arrivals.count, 0, 0)


@given(st.integers(1, 6), st.integers(1, 30), st.sampled_from(Spacing))
def test_workers_together_begin_and_drop_each_arrival_once(workers, slots, spacing):
    arrivals = Arrivals(TWENTY_A_SECOND, spacing, seed=9)
    pacers = [Pacer(arrivals, Share.of(index, workers, slots)) for index in range(workers)]
    numbers = [each.arrival.number for pacer in pacers for each in play(pacer, lambda _: 0.4, FakeClock())]
    assert len(numbers) == len(set(numbers)) == sum(pacer.tally.begun for pacer in pacers)
    assert len(numbers) + sum(pacer.tally.dropped for pacer in pacers) == arrivals.count


def stalling(began_s: float) -> float:
    """A server that takes 50 ms, but from 2.75 s to 4.25 s does nothing at all."""
    return 0.05 if began_s + 0.05 < 2.75 or began_s >= 4.25 else 4.25 - began_s + 0.05


def closed(service_s: Callable[[float], float], *, users: int, per_s: float, duration_s: float) -> list[float]:
    """Response times as a closed load counts them: each user sends at its own rate, but never before an answer.

    What would have been sent during a long answer is not sent, and so not counted: Locust's `constant_throughput`.
    """
    times_s: list[float] = []
    for user in range(users):
        now_s = user / (users * per_s)
        while now_s < duration_s:
            times_s.append(service_s(now_s))
            now_s += max(times_s[-1], 1 / per_s)
    return times_s


def p95(times_s: list[float]) -> float:
    return sorted(times_s)[math.ceil(0.95 * len(times_s)) - 1]


def responses(played: list[Played]) -> list[float]:
    return [each.response_time_s for each in played]


def test_a_stall_that_a_closed_load_does_not_see_is_seen_from_the_due_times():
    """1.5 s of 7 s at 20 arrivals per second: 30 of 140 arrivals fall into the stall, and wait for its end."""
    blind = closed(stalling, users=5, per_s=4, duration_s=7)
    assert p95(blind) == pytest.approx(0.05)
    pacer = Pacer(Arrivals(TWENTY_A_SECOND), Share.of(0, 1, 500))
    seen = responses(play(pacer, stalling, FakeClock()))
    assert (len(seen), pacer.tally.late, pacer.tally.dropped) == (140, 0, 0)
    assert p95(seen) >= 0.9


def test_with_few_slots_the_same_stall_is_seen_in_late_arrivals():
    """As many in flight as the closed load had users; what waits for them is late, and its time counts all the same."""
    pacer = Pacer(Arrivals(TWENTY_A_SECOND), Share.of(0, 1, 5), max_wait_s=5)
    played = play(pacer, stalling, FakeClock())
    assert (pacer.tally.begun, pacer.tally.dropped) == (140, 0)
    assert pacer.tally.late > 20
    assert p95(responses(played)) >= 0.9
    assert p95([each.service_time_s for each in played]) == pytest.approx(0.05), (
        "the service time is blind, and says so"
    )


def test_and_without_patience_in_dropped_ones():
    pacer = Pacer(Arrivals(TWENTY_A_SECOND), Share.of(0, 1, 5))
    play(pacer, stalling, FakeClock())
    assert pacer.tally.late == 0
    assert pacer.tally.dropped > 20
    assert pacer.tally.begun + pacer.tally.dropped == 140
