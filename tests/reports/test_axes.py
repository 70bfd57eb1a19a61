"""Ticks are numbers that people would choose."""

from __future__ import annotations

import pytest

from upswarm.reports import axes

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("highest_bytes", "steps"),
    [
        (0, [0, 1]),
        (3, [0, 1, 2, 3]),
        (900, [0, 200, 400, 600, 800, 1000]),
        (240 * MIB, [each * MIB for each in (0, 50, 100, 150, 200, 250)]),
        (250 * MIB, [each * MIB for each in (0, 50, 100, 150, 200, 250)]),
        (4 * GIB, [each * GIB for each in range(5)]),
        (2e30, [0, 2e30]),
    ],
)
def test_sizes_have_equal_steps_in_one_unit(highest_bytes: float, steps: list[float]) -> None:
    assert axes.size_steps(highest_bytes) == steps


@pytest.mark.parametrize("highest_bytes", [0.1, 1, 999, 1023, 1025, 700 * KIB, 3.3 * MIB, 999 * GIB, 1 << 60])
def test_the_last_tick_of_sizes_is_not_below_the_highest(highest_bytes: float) -> None:
    assert axes.size_steps(highest_bytes)[-1] >= highest_bytes


@pytest.mark.parametrize(
    ("highest", "steps"), [(0, [0, 1]), (1, [0, 1]), (7, [0, 2, 4, 6, 8]), (4_321, [0, 1000, 2000, 3000, 4000, 5000])]
)
def test_counts_are_whole_numbers(highest: float, steps: list[float]) -> None:
    assert axes.count_steps(highest) == steps


@pytest.mark.parametrize(
    ("last_s", "step_s"), [(0.4, 1), (3, 1), (20.3, 5), (300, 60), (7200, 900), (86400 * 30, 345600)]
)
def test_the_seconds_of_a_run_are_cut_as_clocks_do(last_s: float, step_s: int) -> None:
    assert axes.clock_step(last_s, 8) == step_s


@pytest.mark.parametrize(
    ("shortest_s", "longest_s", "ends", "labelled"),
    [
        (0.009, 0.014, (0.005, 0.02), [0.005, 0.01, 0.02]),
        (0.01, 0.01, (0.01, 0.02), [0.01, 0.02]),
        (0.0009, 0.3, (0.0005, 0.5), [0.001, 0.01, 0.1]),
        (0.2, 3, (0.2, 5), [0.2, 0.5, 1, 2, 5]),
        (0, 1e-6, (1e-6, 2e-6), [1e-6, 2e-6]),
        (90, 4000, (50, 5000), [50, 100, 200, 500, 1000, 2000, 5000]),
    ],
)
def test_times_run_from_below_the_shortest_to_above_the_longest(
    shortest_s: float, longest_s: float, ends: tuple[float, float], labelled: list[float]
) -> None:
    ticks = axes.time_ticks(shortest_s, longest_s)
    assert (ticks.lowest_s, ticks.highest_s) == pytest.approx(ends)
    assert list(ticks.labelled_s) == pytest.approx(labelled)
