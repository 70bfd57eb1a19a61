"""All containers of a run are stopped together: each ends in order, and server and report have counted the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.containers.project import Project
from upswarm.audit.ledger import LEDGER_FILE, ledgers_of, read
from upswarm.errors import EXIT_GENERATOR, EXIT_OK
from upswarm.results.audit_record import BROKEN_PROMISES
from upswarm.results.run_file import Run

SCENARIO = """\
name: container-stop
about: A run that would last for ten minutes.
files: [{size: {uniform: [0B, 256KiB]}, content: random}]
transfer: {chunk_size: 64KiB, bandwidth: 1MiB/s}
workload: {allow_saturated_generator: true, users: {stages: [{to: 6, over: 0s}, {hold: 10m}], think_time: 20ms}}
audit: true
"""


@dataclass(frozen=True)
class Stopped:
    """What was left, and what the server says when it has been started again."""

    run: Run
    folder: Path
    codes: dict[str, list[int]]
    files: list[dict[str, Any]]
    audited_later: int


@pytest.fixture(scope="module")
def stopped(ci: Project) -> Stopped:
    ci.start_run(SCENARIO)
    ci.await_line("master", r"^00:0[3-9]/")
    ci.stop_at_once()
    codes = {service: ci.exit_codes(service) for service in ("master", "worker", "server")}
    folder, run = ci.report()
    ci.start("server")
    later = ci.run_once("master", "audit", f"reports/{run.run_id}")
    return Stopped(run, folder, codes, ci.files(run.run_id), later)


def test_each_container_ends_by_itself_and_says_how(stopped: Stopped) -> None:
    assert stopped.codes == {"master": [EXIT_GENERATOR], "worker": [EXIT_OK] * 3, "server": [EXIT_OK]}


def test_the_report_is_whole(stopped: Stopped) -> None:
    run = stopped.run
    assert run.complete
    (fault,) = run.generator_faults
    assert fault.startswith("the run was cut off after ")
    assert [(worker.lost, worker.left_s) for worker in run.workers] == [(False, None)] * 3
    assert {"report.html", "run.json", "summary.md", "junit.xml"} <= {path.name for path in stopped.folder.iterdir()}
    assert ledgers_of(stopped.folder) == [stopped.folder / LEDGER_FILE], "all that workers were told was reported"


def test_the_server_has_counted_what_the_report_has(stopped: Stopped) -> None:
    uploads, ledger = stopped.run.measurements.uploads, list(read(ledgers_of(stopped.folder)))
    promised = {entry.file_id: entry.size_bytes for entry in ledger}
    kept = [file for file in stopped.files if file["file_id"] in promised]
    assert 0 < uploads.finished == len(ledger) == len(kept)
    assert promised == {file["file_id"]: file["size_bytes"] for file in kept}
    assert uploads.finished_bytes == sum(file["size_bytes"] for file in kept)
    by_host = Counter(str(file["client_id"]) for file in kept)
    assert Counter({worker.host: worker.finished for worker in stopped.run.workers}) == by_host
    assert len(stopped.files) - len(kept) <= uploads.stopped, "a finalize that was on the way then may have been obeyed"


def test_an_audit_that_had_no_time_is_made_later(stopped: Stopped) -> None:
    """The server was told to end too: whatever was found by then, no promise was found broken."""
    assert stopped.run.audit is not None
    assert not BROKEN_PROMISES & set(stopped.run.audit.counts)
    assert "its audit had 2 s at most; `upswarm audit RUN` makes a whole one" in stopped.run.audit.notes[-1]
    assert stopped.audited_later == EXIT_OK
