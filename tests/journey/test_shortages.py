"""More users than a process may have connections: that is no failure of the server."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.journey.runs import Workshop, end_of, family
from tests.servers import running_server
from upswarm.transfer.failures import Failure

SCENARIO = """\
name: crowded
target: {target}
files: [{{size: 1KiB, content: random}}]
transfer: {{retry: {{attempts: 2, base: 50ms}}}}
workload: {{allow_saturated_generator: true, iterations: {{count: 160, users: 80}}}}
thresholds: [upload.finished count >= 1]
"""


def test_a_process_without_files_for_its_users_is_told_to_be_the_fault(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    scenario = tmp_path / "crowded.yaml"
    with running_server(tmp_path) as server:
        scenario.write_text(SCENARIO.format(target=server.url))
        few = ("sh", "-c", 'ulimit -n 64; exec "$0" "$@"')
        process = workshop.start(*few, sys.executable, "-m", "upswarm.cli", "run", str(scenario))
        with family(process):
            ended = end_of(process)
    assert ended.code == 5, ended.out + ended.err
    run = workshop.run()
    kinds = {kind for tally in run.measurements.phases.values() for kind in tally.failures}
    assert kinds == {Failure.OUT_OF_FILES}
    assert [fault for fault in run.generator_faults if fault.startswith("the generator ran out of open files: ")]
