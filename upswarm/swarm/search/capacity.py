"""`upswarm capacity`: searches, tells how it goes, and writes what was found."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime

from upswarm.errors import UsageError
from upswarm.files import new_folder
from upswarm.reports.capacity import text as told
from upswarm.reports.capacity.page import write_page
from upswarm.results.steps import By, Step
from upswarm.swarm.outlet import outlast_readers
from upswarm.swarm.search.ascent import Ascent
from upswarm.swarm.search.question import Question
from upswarm.swarm.search.step_runner import StepRunner, ended_by_signals
from upswarm.transfer.clock import SystemClock


def find(question: Question) -> int:
    """Search to the end, which may be that of the time, or a signal; returns the exit code.

    Raises `UsageError`, and leaves nothing behind, where already the first run refuses to start.
    """
    folder = new_folder(question.reports, f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{question.name}-capacity")
    runner = StepRunner(question, folder)
    outlast_readers()
    print(told.headline(question.name, question.by, question.objectives), flush=True)
    try:
        with ended_by_signals(runner):
            capacity = Ascent(question, SystemClock(), runner, lambda news: _tell(news, question.by)).climb()
    except UsageError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    print(f"\n{told.summary(capacity)}\n\ncapacity  {capacity.save(folder)}", flush=True)
    print(f"report    {write_page(capacity, folder)}", flush=True)
    return capacity.exit_code


def _tell(news: float | Step, by: By) -> None:
    """A step is a row; what is only under way is told where it can be wiped away again."""
    wipe = "\r\033[K" if sys.stdout.isatty() else ""
    if isinstance(news, Step):
        print(f"{wipe}{told.row(news, by)}", flush=True)
    elif wipe:
        print(f"{wipe}{by.amount(news)} …", end="", flush=True)
