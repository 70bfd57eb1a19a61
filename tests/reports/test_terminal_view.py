"""What is drawn on a terminal while a run goes on: it fits, and says what there is."""

from __future__ import annotations

import os
import pty
from dataclasses import replace

import pytest

from tests.reports import runs
from tests.reports.live.test_live import WORN_OUT, live_of
from upswarm.reports.live.live import Live, LiveWorker
from upswarm.reports.terminal_screen import can_draw
from upswarm.reports.terminal_view import LOWEST, NARROWEST, body, head
from upswarm.results.thresholds import Verdict

TERMINAL = {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}


def drawn(live, width=80, height=23):
    """The lines as a terminal of this width shows them."""
    above = head(live, width)
    lines = [*above, *body(live, width, height - len(above))]
    for line in lines:
        line.truncate(width, overflow=line.overflow)
    return [line.plain for line in lines]


@pytest.mark.parametrize("build", runs.RUNS.values())
@pytest.mark.parametrize(("width", "height"), [(80, 23), (NARROWEST, LOWEST - 1), (200, 60)])
def test_every_run_fits_into_the_terminal(build, width, height):
    many = tuple(Verdict(f"chunk.response_time p{n} < 1s", holds=False, observed="2 s") for n in range(1, 40))
    for live in (live_of(build()), live_of(build(), verdicts=many), Live()):
        lines = drawn(live, width, height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width


def test_what_matters_is_there():
    live = live_of(max((build() for build in runs.RUNS.values()), key=lambda run: len(run.verdicts)))
    live = replace(live, stage="users 1 → 4, 0:02 left in this stage", elapsed_s=live.planned_s - 3.5)
    text = "\n".join(drawn(live, 100, 50))
    assert "users 1 → 4, 0:02 left in this stage · 4 users now · 3 uploads in flight" in text
    assert "0:04 left" in text
    assert "p50       p95       p99" in text
    for verdict in live.verdicts:
        assert verdict.threshold in text
    for phase, tally in live.measurements.phases.items():
        assert not tally.attempts or f"{phase.value:<9}{tally.attempts:>9,}" in text


def test_a_failure_stands_with_what_was_said_last():
    for build in runs.RUNS.values():
        live = live_of(build())
        for each in live.measurements.examples.to_document():
            row = next(line for line in drawn(live, 120, 80) if f"{each['phase']} {each['kind']} " in f"{line} ")
            last = live.measurements.examples.of(each["phase"], each["kind"])[-1]
            assert (last.message or last.said)[:20] in row


def test_the_worst_worker_is_named_with_its_figures_and_the_lost_are_counted():
    gone = LiveWorker("b", "b", "lost")
    live = live_of(next(iter(runs.RUNS.values()))(), workers=(LiveWorker("a", "a", "uploading", health=WORN_OUT), gone))
    assert drawn(live)[-1] == "2 workers · 1 lost · CPU 97 % · loop lag p99 50.0 ms (worst)"


@pytest.mark.parametrize(
    ("environ", "draws"),
    [
        (TERMINAL, True),
        (TERMINAL | {"NO_COLOR": "1"}, True),  # it says nothing of moving the cursor
        (TERMINAL | {"TERM": "dumb"}, False),
        (TERMINAL | {"CI": "true"}, False),
        (TERMINAL | {"COLUMNS": str(NARROWEST - 1)}, False),
        (TERMINAL | {"LINES": str(LOWEST - 1)}, False),
        ({"COLUMNS": "80", "LINES": "24"}, False),
    ],
)
def test_only_a_terminal_that_can_show_it_is_drawn_on(environ, draws):
    there, here = pty.openpty()
    with os.fdopen(here, "w", encoding="utf-8") as out:
        assert can_draw(out, environ) is draws
    os.close(there)


def test_a_pipe_or_a_terminal_of_other_letters_is_not_drawn_on(tmp_path):
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        assert not can_draw(out, TERMINAL)
    there, here = pty.openpty()
    with os.fdopen(here, "w", encoding="latin-1") as out:
        assert not can_draw(out, TERMINAL)
    os.close(there)
