"""Runs inside a test suite: what comes out, what is left, and what is said where nothing comes out."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import psutil
import pytest

from tests.servers import wait_for
from tests.testing.test_examples import PAGE, blocks
from upswarm.results.run_file import Run
from upswarm.testing.runs import NoRunError, run_scenario

PATIENCE_S = 60
LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""Ctrl-C is for the test's process also where those of the tests run in the background, which ignore it."""
SMALL = {
    "target": "embedded",
    "files": [{"size": "64KiB"}],
    "workload": {"users": {"stages": [{"to": 1, "over": "0s"}, {"hold": "60s"}], "think_time": "20ms"}},
    "thresholds": ["upload.failed count == 0", "upload.finished count > 1000000"],
}


def test_a_mapping_goes_in_and_the_run_comes_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = run_scenario(SMALL, users=2, duration="1s", reports=tmp_path)
    assert (run.exit_code, run.peak_users) == (3, 2)
    assert [verdict.threshold for verdict in run.failed_verdicts] == ["upload.finished count > 1000000"]
    assert run.measurements.uploads.finished > 0
    assert (tmp_path / run.run_id / "report.html").is_file()
    assert "✗ upload.finished count > 1000000" in capfd.readouterr().out


def test_a_text_is_a_scenario_too_and_variables_reach_it() -> None:
    text = "target: embedded\nfiles: [{size: '${SIZE}'}]\nworkload: {iterations: {count: 3}}\n"
    run = run_scenario(text, environ={"SIZE": "5KiB"})
    assert (run.exit_code, run.measurements.uploads.finished_bytes) == (0, 3 * 5 << 10)


def test_a_protocol_that_a_test_can_import_the_run_can_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_dialect.py").write_text("from upswarm.protocols.chunked import Chunked as Own\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = "target: {url: embedded, protocol: 'own_dialect:Own'}\nworkload: {iterations: {count: 1}}\n"
    assert run_scenario(text).measurements.uploads.finished == 1


def test_what_is_wrong_with_a_scenario_is_in_the_error() -> None:
    with pytest.raises(NoRunError, match=r"(?s)left no run, and exited with 2:.*did you mean \"files\""):
        run_scenario({"target": "embedded", "file": []})


def test_a_run_that_takes_too_long_is_ended_and_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(NoRunError, match="had not ended after 4 s, and was ended"):
        run_scenario(SMALL, processes=2, environ={"MARK": str(tmp_path)}, timeout_s=4)
    wait_for(lambda: not _marked(str(tmp_path)), PATIENCE_S)  # the embedded server needs a moment
    assert _marked(str(tmp_path)) == []


def test_a_test_that_is_ended_by_hand_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    code = f"{LISTEN}; from upswarm.testing.runs import run_scenario; run_scenario({SMALL!r}, processes=2)"
    environ = {**os.environ, "MARK": str(tmp_path), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(_marked(str(tmp_path))) > 4, 20)  # it, the master, two workers, and the server's first
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    wait_for(lambda: not _marked(str(tmp_path)), PATIENCE_S)
    assert _marked(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def _marked(mark: str) -> list[psutil.Process]:
    """The processes of that run: workers, and the embedded server."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("MARK") == mark:
                found.append(process)
    return found


def test_every_attribute_of_the_page_is_one_of_a_run() -> None:
    table = PAGE.split("| attribute of `Run` |")[1].split("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told >= {each.name for each in fields(Run)}
    assert all(hasattr(Run, name) for name in told)


def test_the_example_of_the_page_passes(tmp_path: Path) -> None:
    (example,) = blocks("A run in a test suite", "python")
    (tmp_path / "test_uploads.py").write_text(example)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:locust", "-p", "no:cacheprovider"],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
