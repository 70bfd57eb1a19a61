"""`docker/compose-ci` as a CI job calls it: the run's own exit code, its report here, and nothing else is left."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from tests.containers.conftest import LOAD, SERVER
from tests.containers.engine import docker
from tests.containers.project import DOCKER, PATIENCE_S, surroundings
from upswarm.errors import EXIT_THRESHOLD
from upswarm.results.run_file import Run

SCENARIO = """\
name: container-threshold
about: Nobody is so fast.
files: [{size: 64KiB, content: random}]
workload: {allow_saturated_generator: true, iterations: {count: 30, users: 4}}
thresholds: [upload.finished count == 30, chunk.response_time p50 < 1us]
audit: true
"""


def test_a_threshold_that_does_not_hold_ends_the_job_with_3(images: dict[str, str], tmp_path: Path) -> None:
    scenario, reports = tmp_path / "threshold.yaml", tmp_path / "reports"
    scenario.write_text(SCENARIO)
    environ = {
        "SCENARIO": str(scenario), "REPORTS": str(reports), "WORKERS": "2",
        "UPSWARM_SERVER_IMAGE": images[SERVER], "UPSWARM_LOAD_IMAGE": images[LOAD],
        "COMPOSE_PROJECT_NAME": f"upswarm-test-{uuid.uuid4().hex[:8]}",
    }  # fmt: skip
    ended = subprocess.run(
        [DOCKER / "compose-ci"], env=surroundings() | environ, capture_output=True, text=True, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert ended.returncode == EXIT_THRESHOLD, ended.stdout + ended.stderr
    assert "30 finished" in ended.stdout
    (folder,) = reports.iterdir()
    run = Run.load(folder)
    assert (run.exit_code, [verdict.holds for verdict in run.verdicts]) == (EXIT_THRESHOLD, [True, False])
    assert len({worker.host for worker in run.workers}) == 2
    assert (folder / "report.html").stat().st_size > 1000
    project = f"label=com.docker.compose.project={environ['COMPOSE_PROJECT_NAME']}"
    assert docker("ps", "--all", "--quiet", "--filter", project) == ""
    assert docker("volume", "ls", "--quiet", "--filter", project) == ""
