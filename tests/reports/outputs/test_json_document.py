"""`upswarm report RUN --json`: one document for scripts, whose figures are those of the metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.reports import outsiders, runs
from upswarm.cli import cli
from upswarm.reports.outputs.json_document import document
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import METRICS
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import End, Outcome


def test_the_verdict_and_its_reason_come_with_the_exit_code() -> None:
    told = document(runs.crashed())
    assert (told["verdict"], told["exit_code"]) == ("failed", 3)
    assert told["reason"] == "2 of 5 thresholds did not hold."
    assert [each["holds"] for each in told["thresholds"]] == [False, True, True, True, False]


def test_every_metric_is_there_with_its_unit_in_the_name_of_each_figure() -> None:
    run = runs.crashed()
    metrics = document(run)["metrics"]
    assert list(metrics) == list(METRICS)
    chunks = run.measurements.phases[Phase.CHUNK]
    assert metrics["chunk.response_time"]["p99_s"] == chunks.response_time.percentile_s(99)
    assert metrics["chunk.failed"] == {"count": chunks.failed, "rate_ratio": chunks.failed / chunks.attempts}
    assert metrics["goodput"]["total_bytes"] == run.measurements.uploads.finished_bytes
    assert metrics["goodput"]["mean_bytes_per_s"] == run.measurements.uploads.finished_bytes / run.elapsed_s
    assert set(metrics["generator.cpu"]) >= {"p50_ratio", "p99.9_ratio", "mean_ratio", "max_ratio"}
    assert metrics["probe.response_time"]["p50_s"] is None, "nothing was measured"


def test_what_thresholds_are_judged_by_stands_beside_the_whole_run_where_there_is_a_warm_up() -> None:
    assert document(runs.good())["judged_metrics"] is None
    run = runs.run_of(runs.good().measurements, settled=runs.Users(9).run(1, 1.0), warm_up_s=10.3)
    told = document(run)
    assert told["judged_metrics"]["upload.finished"]["count"] < told["metrics"]["upload.finished"]["count"]


def test_classes_of_files_have_the_metrics_that_are_kept_of_them() -> None:
    measured = Measurements()
    measured.record_outcome(Outcome(End.FINISHED, "a", 5, 0.0, 1.0, file_class="small"), 1)
    told = document(runs.run_of(measured))["file_classes"]
    assert told["small"]["upload.finished"]["count"] == 1
    assert "generator.lag" not in told["small"]


def test_the_audit_is_counted_by_fate() -> None:
    run = runs.run_of(runs.good().measurements, audit=outsiders.audited(intact=7, missing=2))
    audit = document(run)["audit"]
    assert audit == {"holds": False, "promised": 9, "asked": 9, "files": {"intact": 7, "missing": 2}}


@pytest.mark.parametrize("build", runs.RUNS.values(), ids=runs.RUNS)
def test_the_command_prints_nothing_else_and_writes_nothing(build: runs.Build, tmp_path: Path) -> None:
    run = build()
    run.save(tmp_path)
    result = CliRunner().invoke(cli, ["report", str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["run_id"] == run.run_id
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_with_csv_too_the_output_stays_json(tmp_path: Path) -> None:
    runs.good().save(tmp_path)
    result = CliRunner().invoke(cli, ["report", str(tmp_path), "--json", "--csv"])
    assert json.loads(result.stdout)["verdict"] == "passed"
    assert result.stderr.startswith("csv       ")


def test_every_field_is_documented_and_none_that_is_not_there() -> None:
    page = (Path(__file__).parents[3] / "docs" / "ci.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+`) \| .+ \|$", page[page.index("## JSON for scripts") :], re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(document(runs.good()))
