"""The harness of a drill's network. Nothing is asserted of the machine's speed."""

from __future__ import annotations

from benchmarks.drill_network import ratios


def test_both_ways_are_measured_in_turns() -> None:
    measured = ratios(2 << 20, 2)
    assert len(measured) == 2
    assert all(speed > 0 and share > 0 for speed, share in measured)
