"""Real runs of one worker whose users upload without a pause to a sink, and what their run files say."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.client import UnsuccessfulError
from upswarm.errors import EXIT_THRESHOLD
from upswarm.results.run_file import Run
from upswarm.transfer.messages import Phase

GIB = 1 << 30
_SCENARIO = """\
name: one-worker
target: {{url: "{url}", protocol: {{http: {{send: {{method: PUT, path: /x, body: "@chunk", expect: [204]}}}}}}}}
files: [{{size: 10GiB, content: random}}]
transfer: {{chunk_size: {chunk_bytes}B, tls: {{verify: false}}}}
workload: {{allow_saturated_generator: true, users: {{stages: [{{to: {users}, over: 10ms}}, {{hold: {seconds}s}}]}}}}
"""


class Asked(NamedTuple):
    """What a worker, or another client, is to do."""

    url: str
    chunk_bytes: int
    users: int
    seconds: float


class Sample(NamedTuple):
    """What its run file says of the seconds between the first and the last; of a shorter run, of all of it.

    `cpu_ratio` is the mean share of a core; times are of the whole run, and None where no chunk was answered.
    """

    bytes_per_s: float
    cpu_s_per_gib: float
    cpu_ratio: float
    lag_p99_s: float
    chunk_p50_s: float | None
    chunk_p99_s: float | None


def take(upswarm: Sequence[str], asked: Asked, shared: Path) -> Sample:
    """Run `upswarm` as it is started on this path; both sides of it see the folder `shared` at the same place."""
    with tempfile.TemporaryDirectory(dir=shared, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o777)  # a container's user is another one
        scenario = folder / "scenario.yaml"
        scenario.write_text(_SCENARIO.format(**asked._asdict()))
        command = [*upswarm, "run", str(scenario), "--reports", str(folder / "reports"), "--", "--stop-timeout", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in {0, EXIT_THRESHOLD}:
            raise UnsuccessfulError(f"the run ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-2000:]}")
        (run,) = (folder / "reports").iterdir()
        return sample(Run.load(run))


def sample(run: Run) -> Sample:
    """The figures of a run's one worker."""
    chunks, (worker,) = run.measurements.phases[Phase.CHUNK], run.workers
    seconds, last = run.measurements.seconds, int(run.planned_s or 0)
    steady = [seconds[each] for each in range(1, last) if each in seconds] or list(seconds.values())
    sent_bytes, cpu_s = sum(at.bytes_sent for at in steady), sum(at.cpu_ms for at in steady) / 1000
    return Sample(
        bytes_per_s=sent_bytes / len(steady),
        cpu_s_per_gib=cpu_s / (sent_bytes / GIB),
        cpu_ratio=cpu_s / len(steady),
        lag_p99_s=worker.health.lag_p99_s or 0.0,
        chunk_p50_s=chunks.response_time.percentile_s(50),
        chunk_p99_s=chunks.response_time.percentile_s(99),
    )
