"""What the report says of what happened on purpose, and of what it cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports import runs
from upswarm.reports.html import write_report
from upswarm.reports.rows import remarks
from upswarm.reports.summary import terminal_summary
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

SENTENCES = [
    "Attempts cut on purpose, which neither succeeded nor failed: 2 (1 interruptions, 1 uploads aborted)",
    "Sent more than once, of finished files: 3.0 MiB (1 restart)",
    "Failed attempts not tried again, because the retry budget was spent: 1",
]


def stormy() -> Run:
    measured = Measurements()
    cut = Attempt(Phase.CHUNK, 1, 1.0, 1.0, 2.0, 700, failure=Failure.INTERRUPTED)
    for attempt in (cut, cut, replace(cut, failure=Failure.TORN, unretried=True)):
        measured.record_attempt(attempt, 2.0)
    finished = Outcome(End.FINISHED, "a.bin", 1000, 1.0, 9.0, interruptions=1, restarts=1, resent_bytes=3 << 20)
    measured.record_outcome(finished, 9.0)
    measured.record_outcome(replace(finished, end=End.ABORTED, interruptions=0, restarts=0, resent_bytes=0), 9.0)
    return replace(runs.crashed(), measurements=measured)


def test_a_run_without_anything_on_purpose_says_nothing_of_it() -> None:
    assert list(remarks(runs.crashed())) == []


def test_what_happened_on_purpose_is_said_with_what_it_cost() -> None:
    assert list(remarks(stormy())) == SENTENCES


def test_the_terminal_and_the_page_say_the_same(tmp_path: Path) -> None:
    terminal, html = terminal_summary(stormy(), colour=False), write_report(stormy(), tmp_path).read_text()
    assert all(sentence in terminal for sentence in SENTENCES)
    assert all(sentence in html for sentence in SENTENCES)
    assert "uploads 1 finished, 0 failed, 0 stopped, 1 aborted" in terminal
    assert "1 were given up on purpose, and 0 had to stop" in html


@pytest.mark.parametrize(
    ("protocol", "lanes", "joins", "said"),
    [("tus", 4, 0, True), ("tus", 4, 1, False), ("tus", 1, 0, False), ("put", 4, 0, False)],
)
def test_lanes_that_were_asked_for_and_not_to_be_had_are_said(
    protocol: str, lanes: int, joins: int, *, said: bool
) -> None:
    measured = Measurements()
    measured.record_outcome(Outcome(End.FINISHED, "a.bin", 1000, 1.0, 9.0), 9.0)
    for _ in range(joins):
        measured.record_attempt(Attempt(Phase.FINALIZE, 1, 1.0, 1.0, 2.0, 0, 201), 2.0)
    scenario = {"target": {"protocol": protocol}, "transfer": {"parallel_chunks": lanes}}
    found = list(remarks(replace(runs.crashed(), measurements=measured, scenario=scenario)))
    assert [text.startswith("transfer.parallel_chunks had no effect") for text in found] == [True] * said


def test_what_happened_to_the_workers_is_told_and_is_no_fault(tmp_path: Path) -> None:
    note = "after 12.3 s worker w3<b> joined: from then on 3 workers shared the load"
    run = replace(runs.good(), notes=(note,))
    page = write_report(run, tmp_path).read_text(encoding="utf-8")
    assert note.replace("<b>", "&lt;b&gt;") in page
    assert f"Note: {note}." in terminal_summary(run, colour=False).replace("\n  ", " ")
    run.save(tmp_path)
    assert (Run.load(tmp_path).notes, run.exit_code) == ((note,), 0)
