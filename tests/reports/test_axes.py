"""Ticks are numbers that people would choose."""

from __future__ import annotations

import pytest

from upswarm.reports import axes

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("highest_bytes", "labels"),
    [
        (0, ["0", "1 B/s"]),
        (3, ["0", "1 B/s", "2 B/s", "3 B/s"]),
        (900, ["0", "200 B/s", "400 B/s", "600 B/s", "800 B/s", "1000 B/s"]),
        (240 * MIB, ["0", "50 MiB/s", "100 MiB/s", "150 MiB/s", "200 MiB/s", "250 MiB/s"]),
        (250 * MIB, ["0", "50 MiB/s", "100 MiB/s", "150 MiB/s", "200 MiB/s", "250 MiB/s"]),
        (4 * GIB, ["0", "1 GiB/s", "2 GiB/s", "3 GiB/s", "4 GiB/s"]),
        (2e30, ["0", "1.77636e+15 PiB/s"]),
    ],
)
def test_sizes_have_equal_steps_in_one_unit(highest_bytes: float, labels: list[str]) -> None:
    assert [tick.label for tick in axes.size_ticks(highest_bytes, suffix="/s")] == labels


@pytest.mark.parametrize("highest_bytes", [0.1, 1, 999, 1023, 1025, 700 * KIB, 3.3 * MIB, 999 * GIB, 1 << 60])
def test_the_last_tick_of_sizes_is_not_below_the_highest(highest_bytes: float) -> None:
    assert axes.size_ticks(highest_bytes)[-1].value >= highest_bytes


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (7, ["0", "2", "4", "6", "8"]),
        (4_321, ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
    ],
)
def test_counts_are_whole_numbers(highest: float, labels: list[str]) -> None:
    assert [tick.label for tick in axes.count_ticks(highest)] == labels


@pytest.mark.parametrize(
    ("last_s", "labels"),
    [
        (0.4, ["0 s"]),
        (3, ["0 s", "1 s", "2 s", "3 s"]),
        (20.3, ["0 s", "5 s", "10 s", "15 s", "20 s"]),
        (300, ["0:00", "1:00", "2:00", "3:00", "4:00", "5:00"]),
        (7200, ["0 h 00", "0 h 15", "0 h 30", "0 h 45", "1 h 00", "1 h 15", "1 h 30", "1 h 45", "2 h 00"]),
        (86400 * 30, ["0 h 00", "96 h 00", "192 h 00", "288 h 00", "384 h 00", "480 h 00", "576 h 00", "672 h 00"]),
    ],
)
def test_the_seconds_of_a_run_are_written_as_clocks_do(last_s: float, labels: list[str]) -> None:
    assert [tick.label for tick in axes.clock_ticks(last_s)] == labels


@pytest.mark.parametrize(
    ("shortest_s", "longest_s", "labels"),
    [
        (0.009, 0.014, ["5 ms", "10 ms", "20 ms"]),
        (0.01, 0.01, ["10 ms", "20 ms"]),
        (0.0009, 0.3, ["", "1 ms", "", "", "10 ms", "", "", "100 ms", "", ""]),
        (0.2, 3, ["200 ms", "500 ms", "1 s", "2 s", "5 s"]),
        (1e-6, 2e-6, ["1 µs", "2 µs"]),
        (0, 1e-6, ["1 µs", "2 µs"]),
        (90, 4000, ["50 s", "100 s", "200 s", "500 s", "1000 s", "2000 s", "5000 s"]),
    ],
)
def test_times_run_from_below_the_shortest_to_above_the_longest(
    shortest_s: float, longest_s: float, labels: list[str]
) -> None:
    ticks = axes.time_ticks(shortest_s, longest_s)
    assert [tick.label for tick in ticks] == labels
    assert ticks[0].value <= max(shortest_s, 1e-6) * 1.000001
    assert ticks[-1].value >= longest_s * 0.999999


@pytest.mark.parametrize(
    ("scale", "value", "position"),
    [
        (axes.linear(0, 10, 100, 0), 2.5, 75),
        (axes.linear(4, 4, 100, 0), 4, 100),
        (axes.logarithmic(0.001, 1, 0, 300), 0.01, 100),
    ],
)
def test_a_scale_turns_values_into_positions(scale: axes.Scale, value: float, position: float) -> None:
    assert scale(value) == pytest.approx(position)
