"""The harness of bandwidth. Nothing is asserted of the machine's speed."""

from __future__ import annotations

import pytest

from benchmarks.bandwidth import ROWS, measure, per_second, report
from benchmarks.client import UnsuccessfulError


def test_only_whole_seconds_between_the_edges_count() -> None:
    came = [(10 + tenth / 10, 100) for tenth in range(41)]
    assert per_second(came) == [1000, 1000]


def test_a_row_is_a_real_run_whose_bytes_were_seen_by_the_sink() -> None:
    assert max(measure(ROWS[0], 1)) > 1 << 20


def test_the_table_says_how_far_off_the_limit_it_was() -> None:
    shown = report({ROWS[0]: [20 << 20, 21 << 20]})
    assert "20.50" in shown
    assert "+2.5" in shown
    assert "+0.0 to +5.0" in shown


def test_a_run_that_fails_is_no_figure() -> None:
    with pytest.raises(UnsuccessfulError, match="the run ended with 2"):
        measure(ROWS[0]._replace(bandwidth="fast"), 1)
