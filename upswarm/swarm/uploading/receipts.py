"""What this process's clients were told: written down at once, and told to the master with the next report."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upswarm.audit.ledger import Entry, LedgerFile, worker_file
from upswarm.transfer.records import Attempt, Outcome

if TYPE_CHECKING:
    from locust.env import Environment

_log = logging.getLogger(__name__)
LOCAL = "local"
LEDGER = "ledger"
"""The part of a report that has its new receipts."""


class Receipts:
    """An observer of uploads, with a ledger of its own in this machine's folder of the run.

    Where that can't be written, the run goes on: what the master is told is not less for it.
    """

    def __init__(self, folder: Path | None, worker_id: str, started_s: float) -> None:
        self._file = LedgerFile(worker_file(folder, worker_id)) if folder is not None else None
        self._worker_id = worker_id
        self._started_s = started_s
        self._untold: list[list[Any]] = []

    @classmethod
    def of(cls, environment: Environment, run_id: str, started_s: float) -> Receipts:
        """This process's own; a run's folder has the same name on all machines."""
        from locust.runners import WorkerRunner  # noqa: PLC0415 (importing Locust patches the interpreter)

        reports, runner = getattr(environment.parsed_options, "reports", None), environment.runner
        worker_id = runner.client_id if isinstance(runner, WorkerRunner) else LOCAL
        return cls(Path(reports, run_id) if reports else None, worker_id, started_s)

    def attempted(self, attempt: Attempt) -> None:
        """A request alone promises nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Keep the receipt, if there is one."""
        entry = Entry.of_outcome(outcome, self._worker_id, self._started_s)
        if entry is None:
            return
        self._untold.append(list(entry))
        if self._file is not None:
            try:
                self._file.append([entry.to_document()])
            except OSError as error:
                _log.warning("the ledger of this worker can't be written: %s", error)
                self._file = None

    def take(self, *, last: bool = False) -> list[list[Any]]:
        """What the master has not been told yet, as msgpack can carry it."""
        if last and self._file is not None:
            self._file.close()
        untold, self._untold = self._untold, []
        return untold
