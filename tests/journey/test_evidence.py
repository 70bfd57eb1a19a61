"""What a run leaves for those who were not there: what failed and how, and how the generator fared; no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.runs import Workshop
from tests.servers import running_server
from upswarm.transfer.messages import Phase


def test_a_rejected_token_is_shown_with_what_the_server_said_and_without_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = Workshop(tmp_path)
    monkeypatch.setenv("TOKEN", "hunter2-hunter2")
    with running_server(tmp_path, tokens="another-token-altogether") as server:
        scenario = workshop.scenario(f"{{url: '{server.url}', auth: {{bearer: '${{TOKEN}}'}}}}", hold="1s")
        ended = workshop.upswarm("run", scenario)
    assert ended.code == 3, ended.err
    first, *_ = workshop.run().measurements.examples.of(Phase.INIT, "denied (401)")
    assert (first.worker, first.method, first.path, first.message) == (
        "local",
        "POST",
        "/v1/uploads",
        "401 unauthorized",
    )
    assert first.file_name.endswith("-journey-000000")
    assert '"code": "unauthorized"' in first.said
    (folder,) = workshop.reports.iterdir()
    page = (folder / "report.html").read_text()
    assert "401 unauthorized" in ended.out
    assert "401 unauthorized" in page
    assert "hunter2" not in "".join([ended.out, ended.err, page, (folder / "run.json").read_text()])


def test_a_run_says_how_its_generator_fared_and_where_the_time_went(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    ended = workshop.upswarm("run", workshop.scenario(hold="1s"))
    assert ended.code in {0, 3}, ended.err
    run = workshop.run()
    (worker,) = run.workers
    assert worker.health.seconds >= 2
    assert worker.health.lag_p99_s is not None
    assert 0 < (worker.health.cpu_mean_ratio or 0) < 2
    assert worker.health.peak_rss_bytes > 20 << 20
    measured = run.measurements
    assert measured.generator.lag.count >= 20
    assert measured.files.apparent_bytes >= measured.uploads.finished_bytes > 0
    chunks = measured.phases[Phase.CHUNK]
    assert chunks.send_time.count == chunks.wait_time.count == chunks.service_time.count
    assert sum(tally.connected for tally in measured.phases.values()) >= 3
