"""What a worker knows of its master's clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from upswarm.swarm.workers.clocks import MasterClock

ways = st.tuples(st.floats(0, 2), st.floats(0, 2))


@given(st.floats(-1e6, 1e6), st.lists(ways, min_size=1, max_size=8))
def test_the_masters_time_is_known_as_well_as_the_shortest_exchange_tells(ahead_s, exchanges):
    clock, now_s = MasterClock(), 100.0
    for there_s, back_s in exchanges:
        clock.heard(now_s, now_s + there_s + ahead_s, now_s + there_s + back_s)
        now_s += 10
    assert abs(clock.here_s(500.0 + ahead_s) - 500.0) <= clock.error_s + 1e-6
    assert clock.error_s <= min(map(sum, exchanges)) / 2 + 1e-6


def test_nothing_is_known_as_long_as_nothing_was_heard() -> None:
    assert MasterClock().here_s(12.5) == 12.5


def test_what_was_heard_long_ago_counts_no_more_for_clocks_drift() -> None:
    clock = MasterClock()
    clock.heard(0.0, 50.0, 0.0)
    for second in range(1, 9):
        clock.heard(second, second + 51.0, second + 0.1)
    assert abs(clock.here_s(100.0) - 49.0) < 0.1
