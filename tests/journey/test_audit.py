"""The audit of real runs: by the run itself, later by the command, and with a worker that was killed in the middle."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil

from tests.journey.runs import UNDER_WAY, Workshop, await_line, end_of, family, files_on
from tests.servers import RunningServer, running_server
from upswarm.audit.auditor import PATIENCE_S
from upswarm.audit.ledger import ledgers_of, read
from upswarm.errors import EXIT_AUDIT, EXIT_GENERATOR, EXIT_OK
from upswarm.results.audit_record import Fate
from upswarm.results.run_file import Run

SCENARIO = """\
target: {target}
files: [{{size: {{uniform: [0B, 2MiB]}}, content: random}}]
workload: {{users: {{stages: [{{to: 3, over: 0s}}, {{hold: {duration}}}], think_time: 10ms}}, allowed_lost_workers: 1}}
thresholds: [upload.failed count == 0]
audit: {{connections: 2}}
"""


def scenario(workshop: Workshop, target: str, duration: str = "1s") -> str:
    path = workshop.folder / "audited.yaml"
    path.write_text(SCENARIO.format(target=target, duration=duration))
    return str(path)


def folder_of(workshop: Workshop) -> Path:
    (folder,) = workshop.reports.iterdir()
    return folder


def damage(server: RunningServer, file_id: str) -> None:
    path = server.data_dir / "data" / file_id[:2] / file_id
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_run_audits_itself_and_the_command_does_so_later(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        workshop = Workshop(tmp_path)
        ended = workshop.upswarm("run", scenario(workshop, "embedded"), "--target", server.url)
        assert ended.code == EXIT_OK, ended
        run, folder = workshop.run(), folder_of(workshop)
        assert run.audit is not None
        listed = {file["file_id"]: file["size_bytes"] for file in files_on(server.url)}
        assert run.audit.counts == {Fate.INTACT: len(listed)}
        assert ledgers_of(folder) == [folder / "ledger.jsonl"]
        assert {entry.file_id: entry.size_bytes for entry in read(ledgers_of(folder))} == listed

        victim = next(file_id for file_id, size_bytes in listed.items() if size_bytes)
        damage(server, victim)
        audited = workshop.upswarm("audit", str(folder), "--json")
        assert audited.code == EXIT_AUDIT, audited
        document = json.loads(audited.out)
        assert [(each["file_id"], each["fate"]) for each in document["problems"]] == [(victim, "corrupt")]
        again = Run.load(folder)
        assert again.audit is not None
        assert (again.audit.broken, again.exit_code) == (1, EXIT_AUDIT)


def test_a_worker_that_was_killed_leaves_its_receipts(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        workshop = Workshop(tmp_path)
        master = workshop.begin("run", scenario(workshop, server.url, "4s"), "--processes", "2")
        with family(master):
            await_line(master.stdout, UNDER_WAY)
            worker = psutil.Process(master.pid).children()[0]
            os.kill(worker.pid, signal.SIGKILL)
            ended = end_of(master)
        assert ended.code == EXIT_OK, ended
        run, folder = workshop.run(), folder_of(workshop)
        assert run.audit is not None
        assert set(run.audit.counts) <= {Fate.INTACT, Fate.ORPHANED}
        (lost,) = [each.worker_id for each in run.workers if each.lost]
        own = [path for path in ledgers_of(folder) if path.name != "ledger.jsonl"]
        assert [path.name for path in own] == [f"ledger.{lost}.jsonl"]
        assert run.audit.promised == len(list(read(ledgers_of(folder)))) >= run.measurements.uploads.finished
        assert run.audit.promised + run.audit.counts.get(Fate.ORPHANED, 0) == len(files_on(server.url))


def test_ctrl_c_cuts_the_audit_short(tmp_path: Path) -> None:
    """What was found by then counts; a run that was measured to its end is none that was cut off."""
    slow = '[{"phase": "inspect", "share": 1, "delay_s": 0.5}]'
    with running_server(tmp_path, faults=slow) as server:
        workshop = Workshop(tmp_path)
        run = workshop.begin("run", scenario(workshop, server.url))
        with family(run):
            await_line(run.stdout, "^audit: asking")
            os.kill(run.pid, signal.SIGINT)
            ended = end_of(run)
        assert ended.code == EXIT_OK, ended
        audit = workshop.run().audit
        assert audit is not None
        assert audit.asked < audit.promised
        assert any("ended early, for somebody asked for its end" in note for note in audit.notes)


def test_sigterm_leaves_an_audit_two_seconds_for_whoever_sends_it_kills_soon(tmp_path: Path) -> None:
    """Containers that are stopped together: the server is gone by then, and nobody waits for it."""
    with running_server(tmp_path) as server:
        workshop = Workshop(tmp_path)
        run = workshop.begin("run", scenario(workshop, server.url, "60s"))
        with family(run):
            await_line(run.stdout, "^00:01/")
            os.kill(run.pid, signal.SIGTERM)
            server.kill()
            ended = end_of(run)
        assert ended.code == EXIT_GENERATOR, ended
    found = workshop.run()
    assert (found.complete, found.generator_faults[0].startswith("the run was cut off after ")) == (True, True)
    assert found.audit is not None
    assert (found.audit.asked < found.audit.promised, found.audit.took_s < PATIENCE_S) == (True, True)
    assert found.audit.notes[-1] == (
        "the run was told to end, so its audit had 2 s at most; `upswarm audit RUN` makes a whole one"
    )
