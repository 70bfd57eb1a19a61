"""An outage that nobody marked is told of everywhere, and one that a fault explains is not told twice."""

from __future__ import annotations

from dataclasses import replace

from tests.reports.runs import good, worker_lost
from tests.reports.special_runs import empty
from tests.reports.test_costs import run as down_from
from upswarm.reports import facts, story
from upswarm.reports.marks import mark_rows
from upswarm.reports.outages import unexplained
from upswarm.reports.outputs.json_document import document
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.worker_series import WorkerSeries


def test_page_terminal_and_json_tell_of_it() -> None:
    run = down_from((8.1, 13.0))
    (outage,) = unexplained(run)
    (row,) = mark_rows(run)
    told = f"no request succeeded from {outage.start_s:.1f} s to {outage.end_s:.1f} s: {outage.failed} attempts failed"
    assert (row.kind, row.at_s, row.until_s) == ("outage", outage.start_s, outage.end_s)
    assert row.sentence.startswith(told)
    assert "refused" in row.sentence
    assert "Found in the figures" in row.cost
    assert next(facts.faults(run)).startswith(f"Outage: {told}")
    assert any(each.startswith(f"N{told[1:]}") for each in story.told(run))
    assert document(run)["outages"] == [{"start_s": outage.start_s, "end_s": outage.end_s, "failed": outage.failed}]


def test_a_fault_that_is_marked_explains_it() -> None:
    run = replace(down_from((8.1, 13.0)), marks=(Mark(8.3, MarkKind.FAULT, "the server was killed"),))
    assert unexplained(run) == []
    assert [row.kind for row in mark_rows(run)] == ["fault"]


def test_where_there_was_none_nothing_is_said() -> None:
    assert document(good())["outages"] == document(empty())["outages"] == []
    assert not [each for each in story.told(good()) if "succeeded" in each]


def test_a_lost_worker_that_nobody_missed_is_marked_where_its_reports_end() -> None:
    run = worker_lost()
    series = WorkerSeries(2, attempts=(4, 4, 1))
    run = replace(run, workers=tuple(replace(each, series=series) for each in run.workers))
    (lost,) = (each.worker_id for each in run.workers if each.lost)
    (row,) = mark_rows(run)
    assert (row.kind, row.at_s) == ("worker", 6.0)
    assert lost in row.sentence
    missed = Mark(9.0, MarkKind.WORKER, f"worker {lost} was lost: from then on it was two")
    assert [each.at_s for each in mark_rows(replace(run, marks=(missed,)))] == [9.0]
