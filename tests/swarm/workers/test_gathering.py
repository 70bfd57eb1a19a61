"""The master knows whether all that its workers measured has come."""

from __future__ import annotations

import json

from upswarm.results.measurements import Measurements
from upswarm.results.thresholds import Needs, Threshold
from upswarm.swarm.workers.gathering import Gathering, Reporting
from upswarm.transfer.failures import Failure
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


def test_each_worker_has_its_own_health_and_all_of_them_one_sum() -> None:
    gathering = Gathering("run", ["a", "b"])
    for worker_id, share in (("a", 0.5), ("b", 0.95)):
        reporting, measurements = Reporting("run", "h"), measured(1)
        measurements.generator.record_cpu(share)
        measurements.generator.lag.record(share / 100)
        gathering.take(worker_id, reporting.report(measurements, peak_rss_bytes=int(share * 100)))
        gathering.take(worker_id, reporting.report(measured(0), last=True, peak_rss_bytes=10))
    found = {record.worker_id: record.health for record in gathering.records()}
    assert (found["a"].busy_ratio, found["b"].busy_ratio) == (0.0, 1.0)
    assert (found["a"].peak_rss_bytes, found["b"].peak_rss_bytes) == (50, 95)
    assert gathering.total.generator.cpu.count == gathering.total.generator.lag.count == 2


def test_an_example_knows_whose_it_is() -> None:
    gathering = Gathering("run", ["a", "b"])
    for worker_id in ("a", "b"):
        measurements = Measurements()
        measurements.record_attempt(Attempt(Phase.INIT, 1, 0.0, 0.0, 0.1, 0, failure=Failure.RESET), 0.1)
        gathering.take(worker_id, Reporting("run", "h").report(measurements))
    assert [each.worker for each in gathering.total.examples.of(Phase.INIT, "reset")] == ["a", "b"]


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
    assert [record.worker_id for record in gathering.records()] == ["late"]


def test_a_report_that_comes_twice_counts_once() -> None:
    gathering = Gathering("run", ["a"])
    report = Reporting("run", "h").report(measured(4), last=True)
    assert gathering.take("a", report)
    assert gathering.take("a", report) is None
    assert gathering.total.attempts == 4
    assert gathering.waiting_for() == set()


def test_the_latest_report_says_how_far_a_share_has_come() -> None:
    gathering, reporting = Gathering("run", ["a"]), Reporting("run", "h")
    gathering.take("a", reporting.report(measured(1), following=[4, 5]))
    gathering.take("a", reporting.report(measured(1), following=[8, 5]))
    assert gathering.following("a") == (8, 5)


def test_what_thresholds_ask_for_is_kept_of_each_worker_without_the_warm_up() -> None:
    needs = Needs.of([Threshold.parse("chunk.attempts{worker=each} count over last 10s > 0")])
    gathering = Gathering("run", ["a", "b"], needs, warm_up_s=5.0)
    for worker_id, count in (("a", 2), ("b", 3)):
        report = Reporting("run", f"host-{worker_id}").report(measured(1), settled=measured(count))
        gathering.take(worker_id, json.loads(json.dumps(report)))
    seen = gathering.evidence(8.0)
    assert gathering.total.attempts == 7
    assert (seen.whole.measurements.attempts, seen.whole.elapsed_s) == (5, 3.0)
    assert {each.worker_id: each.slice.attempts for each in seen.workers} == {"a": 2, "b": 3}
    assert [each.host for each in seen.workers] == ["host-a", "host-b"]
    assert {record.worker_id: record.finished for record in gathering.records()} == {"a": 0, "b": 0}


def test_windows_are_of_all_of_each_class_and_of_each_worker() -> None:
    needs = Needs(window_s=10.0, workers=True, recent_classes=True)
    gathering = Gathering("run", ["a"], needs)
    gathering.take("a", Reporting("run", "h").report(measured(2), classes={"large": measured(1).intervals}))
    seen = gathering.evidence(4.0, classes=("large", "small"))
    parts = {
        text: [(name, part.measurements.attempts) for name, part in seen.parts(Threshold.parse(text).selector, 10.0)]
        for text in (
            "chunk.failed rate < 1%", "chunk.failed{class=each} rate < 1%", "chunk.failed{worker=h} rate < 1%",
        )
    }  # fmt: skip
    assert list(parts.values()) == [[("", 2)], [("large", 1), ("small", 0)], [("a", 2)]]


def test_nothing_is_kept_apart_that_nobody_asks_for() -> None:
    gathering = Gathering("run", ["a"])
    gathering.take("a", Reporting("run", "h").report(measured(2)))
    seen = gathering.evidence(4.0)
    assert (seen.workers, seen.recents, gathering.settled) == ((), None, None)
    assert seen.whole.measurements is gathering.total


def test_each_worker_has_its_own_series_and_the_moments_at_which_it_came_and_went() -> None:
    gathering = Gathering("run", ["a"])
    gathering.expect("b", 2.5)
    gathering.went("a", 7.0)
    for worker_id, attempts in (("a", 2), ("b", 3)):
        gathering.take(worker_id, Reporting("run", "h").report(measured(attempts)))
    records = {each.worker_id: each for each in gathering.records()}
    assert {name: (each.joined_s, each.left_s) for name, each in records.items()} == {"a": (0.0, 7.0), "b": (2.5, None)}
    assert {name: sum(each.series.attempts) for name, each in records.items()} == {"a": 2, "b": 3}
