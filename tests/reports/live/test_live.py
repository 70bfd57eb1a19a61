"""The live page's document and the tabs, from the synthetic runs of the reports."""

import json
import math
from dataclasses import replace

import pytest

from tests.reports import runs
from upswarm.reports.conclusion import Conclusion
from upswarm.reports.live import figures as live_figures
from upswarm.reports.live import rows as live_rows
from upswarm.reports.live import tabs as live_tabs
from upswarm.reports.live.live import Live, LiveWorker, PastRun, State, document
from upswarm.results.generator import Health
from upswarm.results.levels import Levels
from upswarm.results.measurements import Measurements
from upswarm.results.thresholds import Verdict
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

WORN_OUT = Health(0.05, 0.2, 0.97, 1, 0.95, 20)


def live_of(run, state=State.RUNNING, **changes):
    """The run as it stands at its end, while it still goes on or when it is over."""
    levels = Levels()
    levels.record(1.0, 4)
    live = Live(
        state=state, run_id=run.run_id, scenario="evening-rush", target=run.target, load="4 users", users=4,
        elapsed_s=run.elapsed_s, planned_s=run.planned_s, known_s=run.elapsed_s, in_flight=3, levels=levels,
        measurements=run.measurements, verdicts=run.verdicts,
        workers=(LiveWorker("bench-1_7f", "bench-1", "uploading", 3, 1e6, 7, 2.2, WORN_OUT),),
        conclusion=Conclusion.of(run) if state is State.ENDED else None,
    )  # fmt: skip
    return replace(live, **changes)


def numbers(value):
    """Every number in a document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("build", runs.RUNS.values())
@pytest.mark.parametrize("state", [State.RUNNING, State.ENDED])
def test_every_run_is_a_document_of_finite_numbers(build, state):
    live = live_of(build(), state)
    known = document(live, [PastRun("1", "a", "passed", "")], phase="upload")
    assert all(map(math.isfinite, numbers(known)))
    assert json.loads(json.dumps(known, allow_nan=False)) == known
    json.dumps(live_tabs.rows(live), allow_nan=False)


def test_before_a_run_there_is_nothing_and_nothing_is_made_up():
    known = document(Live(), [])
    assert known["state"] == "none"
    assert known["series"]["points"] == known["phases"] == known["workers"] == known["thresholds"] == []


def test_the_points_add_up_to_what_was_measured():
    run = runs.crashed()
    points = document(live_of(run, State.ENDED, elapsed_s=21.0), [], phase="chunk")["series"]["points"]
    assert len(points) == 21
    assert sum(point["goodput_per_s"] for point in points) == run.measurements.uploads.finished_bytes
    assert sum(point["failed_attempts"] for point in points) == sum(
        tally.failed for tally in run.measurements.phases.values()
    )
    assert sum(point["failed_uploads"] for point in points) == run.measurements.uploads.failed


def test_the_percentiles_over_time_are_those_of_the_chosen_phase():
    measured = Measurements()
    for at_s, took_s in ((0.2, 0.01), (0.8, 0.02), (1.5, 0.3)):
        measured.record_attempt(Attempt(Phase.INIT, 1, 0.0, 0.0, took_s, 10), at_s)
    live = live_of(runs.run_of(measured, elapsed_s=3.0))
    init, chunk = (document(live, [], phase=phase)["series"] for phase in ("init", "chunk"))
    assert init["points"][0]["times_s"] == pytest.approx([0.01, 0.02, 0.02], rel=0.005)
    assert init["points"][1]["times_s"] == pytest.approx([0.3, 0.3, 0.3], rel=0.005)
    assert [point["times_s"] for point in chunk["points"]] == [[], [], []]


def test_a_page_that_has_the_beginning_gets_the_end_only():
    live = live_of(runs.good())
    whole, rest = (document(live, [], from_s=from_s)["series"]["points"] for from_s in (0, 15))
    assert rest == whole[15:]
    assert document(live, [], from_s=10**9)["series"]["points"] == []
    assert document(live, [], from_s=-5)["series"]["points"] == whole


def test_what_not_all_workers_have_reported_yet_is_not_drawn():
    known = document(live_of(runs.good(), known_s=17.4), [])
    assert known["series"]["points"][-1]["at_s"] == 16.0


def test_a_soak_of_ten_hours_stays_small():
    measured, levels = Measurements(), Levels()
    for second in range(36000):
        measured.record_attempt(Attempt(Phase.CHUNK, 1, 0.0, 0.0, 0.1 + second % 97 / 1000, 1 << 20), second)
        measured.record_outcome(Outcome(End.FINISHED, "f", 1 << 20, 0.0, 1.0), second)
        levels.record(second, second % 50)
    live = live_of(runs.run_of(measured, elapsed_s=36000.0), levels=levels)
    known = document(live, [])
    assert len(known["series"]["points"]) <= 256
    assert len(json.dumps(known)) < 50_000


def test_rates_of_now_are_those_of_the_last_ten_seconds():
    measured = Measurements()
    for second in range(20):
        measured.record_outcome(Outcome(End.FINISHED, "f", (1 if second < 10 else 3) << 20, 0.0, 1.0), second)
        measured.record_attempt(Attempt(Phase.CHUNK, 1, 0.0, 0.0, 0.1, 1 << 20), second)
    figures = {row.key: row for row in live_figures.figures(live_of(runs.run_of(measured, elapsed_s=20.0)))}
    assert (figures["goodput"].now, figures["goodput"].whole) == ("3.0 MiB/s", "2.0 MiB/s")
    assert (figures["finished"].now, figures["finished"].whole) == ("1.0/s", "20")
    assert (figures["in_flight"].now, figures["in_flight"].whole) == ("3", "4")
    young = live_of(runs.run_of(measured, elapsed_s=4.0))
    assert {row.now for row in live_figures.figures(young) if row.key != "in_flight"} == {"–"}


def test_a_threshold_is_not_decided_before_the_end():
    verdicts = (Verdict("a", True, "1"), Verdict("b", False, "2"), Verdict("c", False, "no data"))
    run = runs.good()
    running, ended = (live_of(run, state, verdicts=verdicts) for state in (State.RUNNING, State.ENDED))
    standings = [[row.standing for row in live_rows.thresholds(live)] for live in (running, ended)]
    assert standings == [
        ["holds so far", "does not hold so far", "no data yet"],
        ["held", "did not hold", "did not hold: not measured"],
    ]


def test_the_tables_say_what_the_report_says():
    run = runs.crashed()
    rows = {row.name: row for row in live_rows.phases(live_of(run))}
    chunk = run.measurements.phases[Phase.CHUNK]
    assert (rows["chunk"].count, rows["chunk"].failed) == (f"{chunk.attempts:,}", f"{chunk.failed:,}")
    assert [row.kind for row in live_rows.failures(live_of(run)) if row.name == "upload"] == [Failure.REFUSED]
    assert rows["upload"].retries == "–"


def test_a_worker_in_trouble_is_marked():
    (row,) = live_rows.workers(live_of(runs.good()))
    assert (row.troubled, row.state) == (True, "uploading, no CPU time left")
    assert (row.in_flight, row.reports, row.age, row.cpu, row.lag) == ("3", "7", "2 s ago", "97 %", "50.0 ms")


def test_every_row_of_a_tab_has_its_place_and_only_columns_that_are_there():
    for tab, table in live_tabs.rows(live_of(runs.crashed(), State.ENDED)).items():
        assert [row["name"] for row in table] == list(range(len(table)))
        assert all(set(row) <= {"name", *live_tabs.COLUMNS[tab]} for row in table)
    assert live_tabs.TABS.keys() == live_tabs.COLUMNS.keys() == live_tabs.rows(Live()).keys()


def test_the_first_tab_has_figures_failures_thresholds_and_the_verdict():
    table = live_tabs.rows(live_of(runs.crashed(), State.ENDED))["uploads"]
    said = {row["what"]: row["remark"] for row in table}
    assert said["threshold: upload.failed count == 0"] == "did not hold"
    assert said["failed: upload, refused"].startswith("nothing listens there")
    assert "thresholds did not hold" in said["verdict"]
