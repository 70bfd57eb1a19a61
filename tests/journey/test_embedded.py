"""A scenario that says how its embedded server fails: the report counts the very failures that were drawn for it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.journey.runs import Workshop
from upswarm.results.run_file import Run
from upswarm.transfer.messages import Phase
from upswarm_server.fault_rules import read_rules
from upswarm_server.faults import Draws

SEED = 7
FAULTS: list[dict[str, Any]] = [
    {"phase": "any", "share": "20%", "delay_s": {"exponential": 0.005}},
    {"phase": "init", "share": 0.2, "status": 500},
    {"phase": "chunk", "share": 0.1, "status": 503, "retry_after_s": 0},
    {"phase": "chunk", "share": 0.1, "cut": "request"},
    {"phase": "finalize", "share": 0.2, "cut": "after_work"},
]
SCENARIO = f"""\
name: fails
seed: {SEED}
target: {{embedded: {{workers: 1, faults: {json.dumps(FAULTS)}}}}}
files: [512KiB]
transfer: {{chunk_size: 64KiB, retry: {{attempts: 30, base: 2ms, cap: 10ms}}}}
workload: {{users: {{stages: [{{to: 3, over: 0s}}, {{hold: 2s}}]}}}}
"""
ROUTES = {
    "/v1/uploads": "init",
    "/v1/uploads/{upload_id}/chunks/{index}": "chunk",
    "/v1/uploads/{upload_id}/finalize": "finalize",
}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    (tmp_path / "fails.yaml").write_text(SCENARIO)
    return Workshop(tmp_path)


def test_the_report_counts_what_was_injected_and_what_was_injected_is_what_the_seed_draws(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSWARM_ACCESS_LOG", str(workshop.folder / "access.log"))
    ended = workshop.upswarm("run", "fails.yaml")
    assert ended.code == 0, ended.out + ended.err
    run = workshop.run()
    assert run.measurements.uploads.finished > 5
    assert failed(run) == drawn(attempts(run))
    assert logged(workshop.folder / "access.log") == Counter(
        {phase: count for phase, count in failed(run).items() if phase != "finalize"}  # whose cuts are logged as 201
    )


def test_rules_are_for_the_embedded_server_alone(workshop: Workshop) -> None:
    ended = workshop.upswarm("run", "fails.yaml", "--target", "http://127.0.0.1:9")
    assert ended.code == 2
    assert ended.err == (
        "expected the target `embedded`, which the scenario's target.embedded is for, found http://127.0.0.1:9\n"
        "  take target.embedded out of a copy of the scenario\n"
    )
    assert not list(workshop.reports.glob("*"))


def test_a_wrong_rule_is_found_before_anything_is_started(workshop: Workshop) -> None:
    path = workshop.folder / "fails.yaml"
    path.write_text(SCENARIO.replace("cut", "cot"))
    ended = workshop.upswarm("run", "fails.yaml")
    assert ended.code == 2
    assert re.search(r"fails\.yaml:3:\d+: target\.embedded\.faults\[3\]\.cot: .*did you mean \"cut\"\?", ended.err)


def attempts(run: Run) -> dict[str, int]:
    """Requests by phase."""
    return {phase.value: run.measurements.phases[phase].attempts for phase in Phase if phase in run.measurements.phases}


def failed(run: Run) -> Counter[str]:
    """What the report says: failed attempts by phase."""
    return +Counter({phase.value: sum(tally.failures.values()) for phase, tally in run.measurements.phases.items()})


def drawn(requests: dict[str, int]) -> Counter[str]:
    """How many of so many requests the dice of the one worker hit."""
    draws = Draws(read_rules(json.dumps(FAULTS)), SEED, 1)
    return Counter(
        phase
        for phase in ("init", "chunk", "probe", "finalize")
        for _ in range(requests.get(phase, 0))
        if draws.next(phase).failure is not None
    )


def logged(path: Path) -> Counter[str]:
    """What the server's access log says: answers in the 500s, and requests that were cut before any work."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return Counter(ROUTES[line["route"]] for line in lines if line["status"] >= 500 or line["status"] == 444)
