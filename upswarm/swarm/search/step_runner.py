"""One step of a search for a capacity: a real run, in a process of its own, whose run file is read afterwards.

Locust can't be run twice in one process, and a run that follows another should find nothing of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from upswarm.errors import EXIT_GENERATOR, EXIT_USAGE, UpswarmError, UsageError
from upswarm.reports.outputs import github
from upswarm.results.run_file import RUN_FILE, Run
from upswarm.results.steps import By
from upswarm.swarm.search.question import Question

_DRAIN_S = 2
"""How long uploads under way may go on when a step is over; the server should be rid of one load before the next."""


class NoRun(UpswarmError):
    """A run left no run file behind."""

    exit_code = EXIT_GENERATOR


class StepRunner:
    """Runs `upswarm run` once for each load; from `stop` on it runs nothing more."""

    def __init__(self, question: Question, folder: Path) -> None:
        self._question = question
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        self.stopped = False

    def measure(self, load: float, length_s: float) -> tuple[Run, str]:
        """The run of a load for so many seconds, and its folder below ours; a run that was stopped is one too.

        Raises `UsageError` with what the command said where it refused to start, and `NoRun` where it left nothing.
        """
        self._count += 1
        place = self._folder / f"{self._count:02d}-{_spelt(self._question.by, load)}-{length_s:.0f}s"
        place.mkdir()
        said = place / "output.txt"
        with said.open("wb") as output:
            code = self._run(self._command(load, length_s, place), output.fileno())
        if code == EXIT_USAGE:
            raise UsageError(said.read_text(errors="replace").strip())
        for path in place.glob(f"*/{RUN_FILE}"):
            return Run.load(path), str(path.parent.relative_to(self._folder))
        raise NoRun(f"a run ended with exit code {code} and left no run file", hint=f"its output is {said}")

    def stop(self) -> None:
        """End the run in order, which then still writes its results; at the second call at once."""
        number = signal.SIGKILL if self.stopped else signal.SIGTERM
        self.stopped = True
        if self._process is not None:
            _signal(self._process, number)

    def _command(self, load: float, length_s: float, place: Path) -> list[str]:
        by, question = self._question.by, self._question
        amount = ["--users", f"{load:.0f}"] if by is By.USERS else ["--rate", f"{load:.6f}/s"]
        options = [*amount, "--duration", f"{length_s:.0f}s", "--reports", str(place), *question.options]
        command = [sys.executable, "-m", "upswarm.cli", "run", question.scenario, *options]
        return [*command, "--", "--stop-timeout", f"{_DRAIN_S}"]

    def _run(self, command: Sequence[str], output: int) -> int:
        """A session of its own, for Ctrl-C is for us: we end the step, and go on to the report.

        GitHub is not told of it: a step that does not hold is no mistake.
        """
        environ = {name: value for name, value in os.environ.items() if name not in github.VARIABLES}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environ
        )
        self._process = process
        if self.stopped:  # while it was being started
            _signal(process, signal.SIGTERM)
        try:
            return process.wait()
        finally:
            self._process = None
            _signal(process, signal.SIGKILL)  # whoever of its family is left


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """SIGTERM is for the one that steers, which tells its workers to end; SIGKILL is for all."""
    with suppress(ProcessLookupError):
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


@contextmanager
def ended_by_signals(runner: StepRunner) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the runner, and not this process, which has a report to write."""

    def heard(number: int, frame: FrameType | None) -> None:
        runner.stop()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _spelt(by: By, load: float) -> str:
    return f"{load:.0f}-users" if by is By.USERS else f"{load:.4g}-per-s"
