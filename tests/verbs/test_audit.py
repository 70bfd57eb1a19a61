"""`upswarm audit`: what it needs, what it says where that is missing, and what it leaves in the run's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.audit.lab import PREFIX, Lab, flipped
from tests.reports.runs import good
from tests.servers import RunningServer, running_server
from upswarm.audit.ledger import Entry
from upswarm.cli import cli
from upswarm.errors import EXIT_AUDIT, EXIT_GENERATOR, EXIT_OK, UpswarmError
from upswarm.protocols.chunked import Chunked
from upswarm.results.run_file import Run
from upswarm.scenario.loader import parse

SCENARIO = """
seed: 7
files: [{size: {uniform: [0B, 300000B]}, content: random}, {size: {uniform: [200000B, 300000B]}, content: sparse}]
"""


@dataclass(frozen=True)
class Past:
    """A run that is over, on a server that is not."""

    folder: Path
    server: RunningServer
    entries: list[Entry]

    def audit(self, *options: str) -> Result:
        return CliRunner().invoke(cli, ["audit", str(self.folder), *options])

    def damage(self, entry: Entry) -> None:
        path = self.server.data_dir / "data" / entry.file_id[:2] / entry.file_id
        path.write_bytes(flipped(path.read_bytes()))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def past(tmp_path: Path, server: RunningServer) -> Past:
    """Its uploads were made by the engine, of the files that the scenario has."""
    entries = Lab(tmp_path, Chunked("client-1"), server.url).upload(6)
    left(tmp_path, server.url)
    return Past(tmp_path, server, [entry for entry in entries if entry.size_bytes > 1000])


def left(folder: Path, url: str, text: str = "", **about: Any) -> None:
    scenario = parse(f"target: {{url: '{url}'}}\n{SCENARIO}{text}", "past.yaml", {}).resolved()
    scenario["target"].update(about)
    replace(good(), run_id=PREFIX.rstrip("-"), scenario=scenario, target=url).save(folder)


def test_what_is_wrong_is_said_kept_and_the_exit_code(past: Past) -> None:
    assert past.audit().exit_code == EXIT_OK
    bent = past.entries[0]
    past.damage(bent)
    found = past.audit()
    assert found.exit_code == EXIT_AUDIT, found.output
    assert f"corrupt      {bent.file_name}  {bent.file_id}" in found.output
    run = Run.load(past.folder)
    assert run.audit is not None
    assert [problem.file_id for problem in run.audit.problems] == [bent.file_id]
    assert run.exit_code == EXIT_AUDIT
    assert (past.folder / "report.html").exists()


def test_json_is_json_alone(past: Past) -> None:
    document = json.loads(past.audit("--json", "--check", "present,size").stdout)
    assert (document["promised"], document["checks"], document["counts"]["intact"]) == (6, ["present", "size"], 6)


def test_the_disk_can_be_read_where_the_server_is_not_there(past: Past) -> None:
    template = str(past.server.data_dir / "data" / "{file_id:.2}" / "{file_id}")
    options = ["--target", "http://127.0.0.1:1", "--check", "digest", "--file-path", template]
    assert past.audit(*options).exit_code == EXIT_OK
    past.damage(past.entries[0])
    assert past.audit(*options).exit_code == EXIT_AUDIT


def test_an_audit_that_looks_at_nothing_decides_nothing(past: Past) -> None:
    assert past.audit("--limit", "1us").exit_code == EXIT_GENERATOR


def test_the_ledger_of_a_lost_worker_can_be_added(past: Past, tmp_path_factory: pytest.TempPathFactory) -> None:
    lost = tmp_path_factory.mktemp("elsewhere") / "ledger.worker.jsonl"
    entry = past.entries[0]._replace(file_id="00000000-0000-4000-8000-000000000000", number=77)
    lost.write_text(json.dumps(entry.to_document()) + "\n")
    assert past.audit("--ledger", str(lost)).exit_code == EXIT_AUDIT


@pytest.mark.parametrize(
    ("options", "known"),
    [
        (["--target", "http://127.0.0.1:1"], "no answer from the target http://127.0.0.1:1"),
        (["--target", "ftp://h"], "--target: expected `embedded` or a URL"),
        (["--target", "embedded"], "expected a URL, found `embedded`"),
        (["--sample", "lots"], "--sample: "),
        (["--check", "present,colour"], "--check: expected 'present', 'size' or 'digest', found 'colour'"),
        (["--limit", "0s"], "--limit: expected more than 0"),
        (["--file-path", "/data"], "--file-path: expected a template"),
        (["--ledger", "/nowhere/ledger.jsonl"], "expected a ledger at /nowhere/ledger.jsonl"),
    ],
)
def test_a_wrong_command_is_a_sentence(past: Past, options: list[str], known: str) -> None:
    error = past.audit(*options).exception
    assert isinstance(error, UpswarmError)
    assert known in error.message
    assert Run.load(past.folder).audit is None


def refused(folder: Path, *options: str) -> str:
    error = CliRunner().invoke(cli, ["audit", str(folder), *options]).exception
    assert isinstance(error, UpswarmError), error
    return str(error)


def test_a_run_without_a_ledger_is_said(tmp_path: Path) -> None:
    left(tmp_path, "http://127.0.0.1:1")
    assert "found no ledger.jsonl" in refused(tmp_path)


def test_an_embedded_server_is_gone(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").touch()
    left(tmp_path, "embedded")
    assert "the embedded server of this run is gone" in refused(tmp_path)


def test_credentials_are_asked_for_and_taken_from_a_scenario(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(past.folder, past.server.url, auth={"bearer": "**********"})
    assert "wants credentials (bearer), and no run file holds any" in refused(past.folder)
    (tmp_path / "auth.yaml").write_text("target: {auth: {bearer: '${A_TOKEN}'}}\n")
    monkeypatch.setenv("A_TOKEN", "t0ken")
    found = past.audit("--scenario", str(tmp_path / "auth.yaml"))
    assert found.exit_code == EXIT_OK, found.output
    assert "t0ken" not in found.output + (past.folder / "run.json").read_text()
