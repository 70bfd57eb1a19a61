"""The ledger of a run on the side that decides, and the audit that follows the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from upswarm.audit.auditor import Auditor, Books
from upswarm.audit.ledger import LEDGER_FILE, Entry, LedgerFile, ledgers_of, read, worker_file
from upswarm.audit.originals import remade
from upswarm.results.audit_record import AuditRecord
from upswarm.results.run_file import Run
from upswarm.scenario.access import access
from upswarm.swarm.uploading.receipts import LEDGER
from upswarm.transfer.clock import SystemClock

if TYPE_CHECKING:
    from upswarm.swarm.plan import Plan


HURRIED_S = 2.0
"""So long an audit may take where somebody waits for this process to end, and will kill it in ten seconds or so."""
_HURRIED = f"the run was told to end, so its audit had {HURRIED_S:g} s at most; `upswarm audit RUN` makes a whole one"


class Auditing:
    """Of one run after the other. What workers report is written down as it comes, and never kept in memory."""

    def __init__(self) -> None:
        self._ledger: LedgerFile | None = None
        self._auditor: Auditor | None = None
        self._trouble = ""
        self._hurried = False

    def begin(self, folder: Path) -> None:
        """A run begins, which leaves its files here."""
        self._ledger, self._trouble, self._hurried = LedgerFile(folder / LEDGER_FILE), "", False

    def keep(self, report: Mapping[str, Any]) -> None:
        """Write down what a worker's clients were told since its last report."""
        if self._ledger is None or self._trouble:
            return
        try:
            self._ledger.append(Entry(*values).to_document() for values in report.get(LEDGER, ()))
        except OSError as error:
            self._trouble = f"the ledger could not be written: {error}"

    def audited(self, run: Run, plan: Plan, unheard: Iterable[str], out: TextIO) -> Run:
        """The run with its audit, if the scenario wants one; `unheard` are the workers whose reports are not all here.

        What they have written themselves is a part of the ledger, if it lies on this machine.
        """
        assert self._ledger is not None
        self._ledger.close()
        folder, self._ledger = self._ledger.path.parent, None
        unheard = sorted(unheard)
        if not self._trouble:
            _tidy(folder, unheard)
        run = replace(run, notes=(*run.notes, *elsewhere(run, folder, unheard)))
        if self._trouble:
            run = replace(run, generator_faults=(*run.generator_faults, self._trouble))
        if plan.scenario.audit is None:
            return run
        try:
            return replace(run, audit=self._audit(plan, folder, out))
        except Exception as error:  # of a dialect, a content or a disk: the run is to have its report all the same
            return replace(run, generator_faults=(*run.generator_faults, f"the audit failed: {error}"))
        finally:
            self._auditor = None

    def cut_short(self) -> None:
        """The audit that is going on ends with what it has found; one that is still to come has `HURRIED_S`."""
        self._hurried = True
        if self._auditor is not None:
            self._auditor.stop("somebody asked for its end")

    def _audit(self, plan: Plan, folder: Path, out: TextIO) -> AuditRecord:
        scenario = plan.scenario
        assert scenario.audit is not None
        books = Books(
            entries=partial(read, ledgers_of(folder)),
            original=remade(scenario.build_mix),
            prefix=f"{plan.run_id}-",
            seed=scenario.seed,
        )
        terms, hurried = scenario.audit.build(), self._hurried
        if hurried:
            terms = replace(terms, limit_s=min(HURRIED_S, terms.limit_s))
        self._auditor = Auditor(books, access(scenario, plan.target_url, SystemClock()), terms)
        print("audit: asking the server for the files that it has acknowledged", file=out, flush=True)
        record = self._auditor.run(partial(_show, out))
        return replace(record, notes=(*record.notes, _HURRIED)) if hurried else record


def _show(out: TextIO, done: int, total: int, broken: int) -> None:
    print(f"audit: {done} of {total} files, {broken} missing or wrong", file=out, flush=True)


def _tidy(folder: Path, unheard: Iterable[str]) -> None:
    """What a worker has written itself is not needed any more, where all of it was reported."""
    kept = {folder / LEDGER_FILE, *(worker_file(folder, worker_id) for worker_id in unheard)}
    for path in ledgers_of(folder):
        if path not in kept:
            path.unlink(missing_ok=True)


def elsewhere(run: Run, folder: Path, unheard: Iterable[str]) -> list[str]:
    """What is to be known of the last receipts of workers that were lost, where their own ledgers are not here."""
    hosts = {each.worker_id: each.host for each in run.workers}
    missing = [(each, worker_file(folder, each)) for each in unheard if not worker_file(folder, each).exists()]
    return [
        _of_a_neighbour(worker_id, path.name)
        if (host := hosts.get(worker_id) or worker_id.rpartition("_")[0]) == run.machine.host
        else f"what worker {worker_id} was told since its last report may stand in its {path.name}"
        f"{f' on {host}' if host else ''}, below its reports folder; `upswarm audit RUN --ledger FILE` adds it"
        for worker_id, path in missing
    ]


def _of_a_neighbour(worker_id: str, name: str) -> str:
    """Of a worker on this machine: its first receipt would have made its ledger, and nobody has removed it."""
    return (
        f"worker {worker_id} ran on this machine and has left no {name} in the run's folder: before it was lost, "
        "it was promised nothing that it could write down. Only if it had a reports folder of its own, its ledger is "
        "there, and `upswarm audit RUN --ledger FILE` adds it"
    )
