"""A worker container crashes in the middle of a run, and so does the server: nothing that was acknowledged is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.containers.project import Project
from upswarm.audit.ledger import LEDGER_FILE, Entry, ledgers_of, read
from upswarm.reports import outages
from upswarm.results.audit_record import Fate
from upswarm.results.marks import MarkKind
from upswarm.results.run_file import Run

# The engine waits longer after each, so that the server is away for more than the second that makes an outage.
CRASHES = 4
UPLOADS = 192
# Six users send 192 x 256 KiB at 512 KiB/s each: that takes 16 s, and as much longer as somebody is away.
SCENARIO = f"""\
name: container-drill
about: A worker and the server crash in their containers.
files: [{{size: 256KiB, content: random}}]
transfer:
  chunk_size: 64KiB
  bandwidth: 512KiB/s
  timeout: {{connect: 2s, idle: 5s}}
  retry: {{attempts: 100, base: 100ms, cap: 500ms}}
workload: {{allowed_lost_workers: 1, allow_saturated_generator: true, iterations: {{count: {UPLOADS}, users: 6}}}}
thresholds: [upload.failed count == 0, upload.finished count > 0]
audit: true
"""


@dataclass(frozen=True)
class Drill:
    """What was left: at the master, at the server, and in the ledger of the worker that crashed."""

    run: Run
    folder: Path
    master_code: int
    worker_codes: list[int]
    hosts: list[str]
    crashed_host: str
    files: list[dict[str, Any]]
    ledger: list[Entry]
    reported: list[Entry]


@pytest.fixture(scope="module")
def drill(ci: Project) -> Drill:
    ci.start_run(SCENARIO)
    victim = ci.containers("worker")[1]
    ci.await_line("master", r"^00:0[2-9] ")
    ci.crash(victim)
    ci.await_line("master", r"^00:(09|1\d) ")
    server = ci.one("server")
    for _ in range(CRASHES):
        ci.crash(server)
    (code,) = ci.exit_codes("master")
    assert ci.containers("worker")[1] == victim, "it has come back as itself"
    folder, run = ci.report()
    hosts = ci.hosts("worker")
    ledger, reported = list(read(ledgers_of(folder))), list(read([folder / LEDGER_FILE]))
    return Drill(run, folder, code, ci.exit_codes("worker"), hosts, hosts[1], ci.files(run.run_id), ledger, reported)


def test_the_run_goes_on_to_its_end(drill: Drill) -> None:
    assert (drill.master_code, drill.run.generator_faults, drill.run.complete) == (0, (), True)
    assert drill.worker_codes == [0, 0, 0]
    numbers = {int(str(file["filename"]).rpartition("-")[2]) for file in drill.files}
    assert numbers == set(range(UPLOADS)), "also those of the worker that crashed"


def test_nothing_that_was_acknowledged_is_lost(drill: Drill) -> None:
    audit = drill.run.audit
    assert audit is not None
    assert audit.checks == ("present", "size", "digest")
    assert set(audit.counts) <= {Fate.INTACT, Fate.ORPHANED}
    assert (audit.promised, audit.asked, audit.counts[Fate.INTACT]) == (len(drill.ledger),) * 3
    assert {entry.file_id for entry in drill.ledger} <= {file["file_id"] for file in drill.files}


def test_what_the_server_has_is_what_the_report_tells_of(drill: Drill) -> None:
    """To the last file: those that were counted, receipts that had not been reported yet, and unanswered finalizes."""
    audit, uploads = drill.run.audit, drill.run.measurements.uploads
    assert audit is not None
    assert uploads.finished == len(drill.reported)
    assert uploads.finished_bytes == sum(entry.size_bytes for entry in drill.reported)
    assert len(drill.files) == audit.promised + audit.counts.get(Fate.ORPHANED, 0)
    (lost,) = [worker.worker_id for worker in drill.run.workers if worker.lost]
    known = {entry.file_id for entry in drill.reported}
    assert {entry.worker for entry in drill.ledger if entry.file_id not in known} <= {lost}


def test_each_container_is_known_by_its_host_name_in_the_report_and_at_the_server(drill: Drill) -> None:
    assert len(set(drill.hosts)) == 3
    assert {worker.host for worker in drill.run.workers} == set(drill.hosts)
    assert len({worker.worker_id for worker in drill.run.workers}) == 4, "the one that came back is another worker"
    counted = Counter[str]()
    for worker in drill.run.workers:
        counted[worker.host] += worker.finished
    stored = Counter(str(file["client_id"]) for file in drill.files)
    assert set(stored) == set(drill.hosts)
    unhurt = set(drill.hosts) - {drill.crashed_host}
    assert {host: stored[host] for host in unhurt} == {host: counted[host] for host in unhurt}
    assert stored[drill.crashed_host] >= counted[drill.crashed_host]


def test_the_report_tells_what_happened(drill: Drill) -> None:
    run = drill.run
    lost, joined = sorted((worker for worker in run.workers if worker.host == drill.crashed_host),
                          key=lambda worker: not worker.lost)  # fmt: skip
    assert (lost.lost, joined.lost, joined.finished > 0) == (True, False, True)
    told = " ".join(run.notes)
    assert f"worker {lost.worker_id} was lost: from then on " in told
    assert f"worker {joined.worker_id} joined: from then on " in told
    marks = {mark.sentence for mark in run.marks if mark.kind is MarkKind.WORKER}
    assert marks == {f"worker {lost.worker_id} was lost", f"worker {joined.worker_id} joined"}
    found = outages.unexplained(run)
    assert found, "the time in which the server was away"
    assert all(outage.over for outage in found)
    assert run.measurements.uploads.resumes > 0
    for name in ("report.html", "summary.md"):
        assert "no request succeeded from" in (drill.folder / name).read_text()
