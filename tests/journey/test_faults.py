"""A run against a server that fails on purpose: everything arrives, and both sides count the same failures."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

from tests.journey.runs import Workshop, files_on
from tests.servers import RunningServer, running_server
from upswarm.results.run_file import Run

PHASES = ("init", "chunk", "probe", "finalize")
FAULTS = [
    {"phase": "any", "share": 0.1, "delay_s": {"exponential": 0.005}},
    {"phase": "init", "share": 0.1, "status": 500},
    {"phase": "chunk", "share": 0.1, "status": 503, "retry_after_s": 0},
    {"phase": "finalize", "share": 0.1, "status": 502},
    {"phase": "chunk", "share": 0.1, "cut": "request"},
    *({"phase": phase, "share": 0.1, "cut": "answer", "by": "close"} for phase in PHASES),
    *({"phase": phase, "share": 0.1, "cut": "after_work"} for phase in PHASES),
]
KINDS = {
    "status_500": "server_error (500)",
    "status_502": "server_error (502)",
    "status_503": "throttled (503)",
    "cut_request": "reset",
    "cut_answer": "torn",
    "cut_after_work": "reset",
}
"""What the rules above are in a report: a 503 with `Retry-After` is no accident, and a close is no reset."""
SCENARIO = """\
name: faults
target: {target}
files: [{{size: {{uniform: [0B, 512KiB]}}}}]
transfer: {{chunk_size: 64KiB, retry: {{attempts: 30, base: 2ms, cap: 10ms}}}}
workload: {{allow_saturated_generator: true, users: {{stages: [{{to: 3, over: 0s}}, {{hold: 3s}}]}}}}
thresholds: [upload.failed count == 0, upload.finished count >= 5]
"""


def test_every_file_arrives_and_the_report_counts_what_the_server_injected(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    scenario = tmp_path / "faults.yaml"
    with running_server(tmp_path, faults=json.dumps(FAULTS), faults_seed=1) as server:
        scenario.write_text(SCENARIO.format(target=server.url))
        ended = workshop.upswarm("run", str(scenario))
        injected = injected_by(server)
        files = files_on(server.url)
    assert ended.code == 0, ended.out + ended.err
    assert "Traceback" not in server.errors
    run = workshop.run()
    assert failures_in(run) == injected
    assert {kind for _, kind in injected} == set(KINDS.values())
    assert {phase for phase, _ in injected} == set(PHASES)
    assert len(files) == run.measurements.uploads.finished


def injected_by(server: RunningServer) -> Counter[tuple[str, str]]:
    """What `/metrics` says, in the words of a report, as `docs/server.md` translates them."""
    with urlopen(f"{server.url}/metrics") as answer:
        scrape = answer.read().decode()
    counted: Counter[tuple[str, str]] = Counter()
    for kind, phase, count in re.findall(r'^upswarm_faults_total\{kind="(\w+)",phase="(\w+)"\} (\S+)', scrape, re.M):
        if kind != "delay":
            counted[phase, KINDS[kind]] += int(float(count))
    return counted


def failures_in(run: Run) -> Counter[tuple[str, str]]:
    """What the report says."""
    return Counter(
        {(phase.value, kind): count
         for phase, tally in run.measurements.phases.items()
         for kind, count in tally.failures.items()}
    )  # fmt: skip
