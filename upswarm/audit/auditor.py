"""An audit: every receipt of a ledger, or a sample of them, is held against what the server has."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock, Thread

from upswarm.audit.disk import Shelf
from upswarm.audit.examiner import Absent, Examiner, Finding
from upswarm.audit.ledger import Entry
from upswarm.audit.orphans import Orphans
from upswarm.audit.words import fit, problem
from upswarm.content.base import File
from upswarm.results.audit_record import BROKEN_PROMISES, MOST_PROBLEMS, AuditRecord, Fate, Problem
from upswarm.results.audit_terms import AuditTerms
from upswarm.transfer.access import Access

PATIENCE_S = 30.0
"""So long a server may be away, perhaps to start anew, before the audit is given up."""
_AGAIN_S = 0.5
_MOST_SUSPECTS = 1000
"""So many files at which the server fails are asked for a second time, when all others have been."""
_LOOK_S = 0.05
_TELL_S = 1.0
_LEAVE_S = 1.0
"""So long after the end of an audit a connection may be at what it is at: a name that is not found can take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is audited: the entries of a run's ledger, which can be read several times, and how files are made again.

    `original` raises `examiner.Unmade` where a file can't be made. `prefix` begins the names of the run's files.
    """

    entries: Callable[[], Iterator[Entry]]
    original: Callable[[Entry], File]
    prefix: str
    seed: int = 0


class Auditor:
    """Runs once. `stop` ends it early, from anywhere; what was found by then counts."""

    def __init__(self, books: Books, access: Access, terms: AuditTerms, *, shelf: Shelf | None = None) -> None:
        self._books = books
        self._access = access
        self._terms = terms
        self._shelf = shelf
        self._clock = access.clock
        self._lock = Lock()
        self._ended_by, self._ended_s = "", 0.0
        self._counts: Counter[Fate] = Counter()
        self._problems: list[Problem] = []
        self._reasons: Counter[str] = Counter()
        self._suspects: list[Entry] | None = []
        self._read_bytes = 0
        self._heard_s = self._ends_s = 0.0
        self._crash: BaseException | None = None

    def run(self, progress: Callable[[int, int, int], None] = lambda *_: None) -> AuditRecord:
        """Audit, and tell once a second how many files have been looked at, of how many, and how many are broken."""
        began_s = self._heard_s = self._clock.now()
        audited_at = datetime.fromtimestamp(self._clock.wall(), UTC).isoformat(timespec="seconds")
        self._ends_s = began_s + self._terms.limit_s
        promised, chosen = self._count()
        self._examine_all(filter(self._is_chosen, self._books.entries()), chosen, progress)
        suspects, self._suspects = self._suspects, None
        self._examine_all(iter(suspects or ()), chosen, progress)
        orphans = Orphans(self._books, self._access)
        if not self._over():
            self._take_orphans(orphans)
        if self._crash is not None:
            raise self._crash
        asked = sum(count for fate, count in self._counts.items() if fate is not Fate.ORPHANED)
        return AuditRecord(
            promised=promised,
            asked=asked,
            checks=tuple(ask.value for ask in self._terms.checks),
            counts={fate: self._counts[fate] for fate in Fate if self._counts[fate]},
            problems=tuple(self._problems),
            notes=tuple(self._notes(promised, chosen, asked, orphans.note)),
            audited_at=audited_at,
            took_s=round(self._clock.now() - began_s, 3),
            read_bytes=self._read_bytes,
        )

    def stop(self, why: str) -> None:
        """End it as soon as each connection has done what it is at, or in a second: those that take longer are left."""
        if not self._ended_by:
            self._ended_by, self._ended_s = why, self._clock.now()

    def _count(self) -> tuple[int, int]:
        promised = chosen = 0
        for entry in self._books.entries():
            promised += 1
            chosen += self._is_chosen(entry)
        return promised, chosen

    def _is_chosen(self, entry: Entry) -> bool:
        """Whether it is in the sample, which is the same each time."""
        ratio = self._terms.sample_ratio
        key = entry.file_id if entry.number is None else entry.number
        return ratio >= 1 or random.Random(f"{self._books.seed}/audit/{key}").random() < ratio

    def _examine_all(self, entries: Iterator[Entry], chosen: int, progress: Callable[[int, int, int], None]) -> None:
        count = min(self._terms.connections, chosen)
        threads = [Thread(target=self._work, args=(entries,), daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        told_s = self._clock.now()
        while any(thread.is_alive() for thread in threads) and not self._left_behind():
            try:
                self._clock.sleep(_LOOK_S)
                if self._clock.now() - told_s >= _TELL_S:
                    told_s = self._clock.now()
                    progress(sum(self._counts.values()), chosen, self._broken)
            except KeyboardInterrupt:  # what was found by then counts
                self.stop("somebody asked for its end")

    @property
    def _broken(self) -> int:
        return sum(self._counts[fate] for fate in BROKEN_PROMISES)

    def _work(self, entries: Iterator[Entry]) -> None:
        examiner = Examiner(self._access, self._terms.checks, self._books.original, self._shelf, self._read)
        try:
            while not self._over():
                with self._lock:
                    entry = next(entries, None)
                if entry is None:
                    break
                self._take(entry, self._patiently(examiner, entry))
        except _Stopped:
            pass
        except BaseException as error:  # of a dialect or a content by somebody else: raised where the audit was asked
            self._crash = error
            self.stop("it failed")
        finally:
            examiner.close()

    def _patiently(self, examiner: Examiner, entry: Entry) -> Finding:
        """A server that is away is waited for, as long as it has not been away for too long."""
        since_s = self._clock.now()
        while True:
            try:
                found = examiner.examine(entry)
            except Absent as absent:
                now_s = self._clock.now()
                if now_s - self._heard_s >= PATIENCE_S:
                    self.stop(f"the server had not answered for {PATIENCE_S:g} s: {absent.sentence}")
                if self._over():
                    raise _Stopped from absent
                if now_s - since_s >= PATIENCE_S:  # others are answered
                    return Finding(Fate.UNVERIFIABLE, absent.sentence, absent.sentence)
                self._clock.sleep(_AGAIN_S)
            else:
                self._heard_s = self._clock.now()
                return found

    def _read(self, read_bytes: int) -> None:
        self._heard_s = self._clock.now()
        self._read_bytes += read_bytes
        if self._over():
            raise _Stopped

    def _over(self) -> bool:
        if self._clock.now() >= self._ends_s:
            self.stop(f"its time of {self._terms.limit_s:g} s was up")
        return bool(self._ended_by)

    def _left_behind(self) -> bool:
        """Whether it has been over for so long that nobody waits for what is still found."""
        return self._over() and self._clock.now() - self._ended_s > _LEAVE_S

    def _take(self, entry: Entry, finding: Finding) -> None:
        with self._lock:
            if self._left_behind():
                return
            if finding.suspect and self._suspects is not None and len(self._suspects) < _MOST_SUSPECTS:
                self._suspects.append(entry)
                return
            if finding.suspect and self._suspects is None and self._counts[Fate.INTACT]:
                finding = Finding(Fate.MISSING, f"{finding.detail}, twice, although other files can be read")
            self._counts[finding.fate] += 1
            if finding.reason:
                self._reasons[fit(finding.reason)] += 1
            if finding.fate is not Fate.INTACT:
                self._keep(problem(finding.fate, entry.file_name, entry.file_id, finding.detail))

    def _take_orphans(self, orphans: Orphans) -> None:
        for listed in orphans.found():
            self._counts[Fate.ORPHANED] += 1
            size = "" if listed.size_bytes is None else f" of {listed.size_bytes} bytes"
            detail = f"a file{size} under the name of this run, for which no client has a receipt"
            self._keep(problem(Fate.ORPHANED, listed.file_name, listed.file_id, detail))

    def _keep(self, problem: Problem) -> None:
        """The first of them; a broken promise takes the place of one that is none."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)
        elif problem.fate in BROKEN_PROMISES:
            for place, kept in enumerate(self._problems):
                if kept.fate not in BROKEN_PROMISES:
                    self._problems[place] = problem
                    return

    def _notes(self, promised: int, chosen: int, asked: int, orphans: str) -> Iterator[str]:
        if not promised:
            yield "the ledger is empty: no client was promised anything"
        if chosen < promised:
            yield f"a sample of {chosen} of {promised} files was to be looked at"
        if self._ended_by:
            yield f"the audit ended early, for {self._ended_by}; {chosen - asked} of {chosen} files were not looked at"
        for reason, count in self._reasons.most_common(20):
            yield f"{count} {'file' if count == 1 else 'files'}: {reason}"
        if orphans:
            yield orphans


class _Stopped(Exception):
    """The audit is over while a file is being read."""
