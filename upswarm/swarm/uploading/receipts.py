"""What this process's clients were told: written down at once, and told to the master with the next report."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upswarm.audit.ledger import LEDGER_FILE, Entry, LedgerFile, worker_file
from upswarm.transfer.records import Attempt, Outcome

if TYPE_CHECKING:
    from locust.env import Environment

_log = logging.getLogger(__name__)
LOCAL = "local"
LEDGER = "ledger"
"""The part of a report that has its new receipts."""


class Receipts:
    """An observer of uploads, with a ledger of its own in this machine's folder of the run.

    Where that can't be written, the run goes on: what the master is told is not less for it. A run without workers
    needs telling nobody what stands in its ledger already; what does not is reported, and whoever hears it complains.
    """

    def __init__(self, folder: Path | None, worker_id: str, started_s: float) -> None:
        self._alone = worker_id == LOCAL
        path = None if folder is None else folder / LEDGER_FILE if self._alone else worker_file(folder, worker_id)
        self._file = LedgerFile(path) if path is not None else None
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
        if not (self._written(entry) and self._alone):
            self._untold.append(list(entry))

    def take(self, *, last: bool = False) -> list[list[Any]]:
        """What the master has not been told yet, as msgpack can carry it."""
        if last and self._file is not None:
            self._file.close()
        untold, self._untold = self._untold, []
        return untold

    def _written(self, entry: Entry) -> bool:
        """Whether it is in the file; the first time that it is not is the last that it is tried."""
        if self._file is None:
            return False
        try:
            self._file.append([entry.to_document()])
        except OSError as error:
            _log.warning("the ledger of this worker can't be written: %s", error)
            self._file.close()
            self._file = None
        return self._file is not None
