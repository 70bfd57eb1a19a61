"""The master knows whether all that its workers measured has come."""

from __future__ import annotations

import json

from upswarm.results.measurements import Measurements
from upswarm.swarm.gathering import Gathering, Reporting
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt


def measured(attempts: int) -> Measurements:
    measurements = Measurements()
    for _ in range(attempts):
        measurements.record_attempt(Attempt(Phase.CHUNK, 1, 0.0, 0.0, 0.1, 10, status=204), 0)
    return measurements


def test_reports_add_up_over_workers_and_over_time() -> None:
    gathering = Gathering("run", ["a", "b"])
    for worker_id in ("a", "b"):
        reporting = Reporting("run", f"host-{worker_id}")
        gathering.take(worker_id, json.loads(json.dumps(reporting.report(measured(2)))))
        gathering.take(worker_id, json.loads(json.dumps(reporting.report(measured(3), last=True))))
    assert gathering.total.phases[Phase.CHUNK].attempts == 10
    assert [(record.host, record.lost) for record in gathering.records()] == [("host-a", False), ("host-b", False)]


def test_a_worker_that_never_reports_is_waited_for_and_then_lost() -> None:
    gathering = Gathering("run", ["a", "b"])
    gathering.take("a", Reporting("run", "h").report(measured(1), last=True))
    assert gathering.waiting_for() == {"b"}
    assert {record.worker_id: record.lost for record in gathering.records()} == {"a": False, "b": True}


def test_a_report_that_got_lost_on_the_way_is_noticed() -> None:
    gathering, reporting = Gathering("run", ["a"]), Reporting("run", "h")
    reporting.report(measured(1))  # never arrives
    gathering.take("a", reporting.report(measured(1), last=True))
    assert gathering.waiting_for() == {"a"}


def test_a_report_of_another_run_does_not_count() -> None:
    gathering = Gathering("run", ["a"])
    assert gathering.take("a", Reporting("before", "h").report(measured(1))) is None
    assert gathering.total.attempts == 0


def test_a_worker_that_joins_late_counts_too() -> None:
    gathering = Gathering("run", [])
    gathering.take("late", Reporting("run", "h").report(measured(4), last=True))
    assert gathering.total.attempts == 4
    assert gathering.left() == {"late"}
