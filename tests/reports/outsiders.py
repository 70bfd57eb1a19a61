"""Runs in which everything that somebody else may have chosen is hostile, and one that was audited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.reports import runs
from upswarm.results.audit_record import AuditRecord, Fate, Problem
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run, WorkerRecord
from upswarm.results.thresholds import Verdict
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.records import Attempt

HOSTILE = (
    "\033[31m<script>alert(1)</script> | `x` ``y`` \\| \n::error::owned\r\n# big @somebody #12 [a](http://evil) "
    "\x00\x08\ud800\uffff ]]> <!-- &amp; %0A, $x$ ~~z~~ **b** =1+1"
)


def audited(**counts: int) -> AuditRecord:
    """An audit by digest that found so many files of each fate."""
    files = {Fate(fate): count for fate, count in counts.items()}
    problems = tuple(
        Problem(fate, "a.bin", "7", "expected 5 B, found 3 B") for fate in files if fate is not Fate.INTACT
    )
    return AuditRecord(sum(counts.values()), sum(counts.values()), ("size", "digest"), files, problems)


def hostile(letters: int = 1, many: int = 1) -> Run:
    """Every word from outside is this hostile, so many times over, and there are so many of everything."""
    word = HOSTILE * letters
    measured = runs.Users(8).run(1, 2.0)
    for status in range(400, 400 + many):
        asked = Request(Phase.CHUNK, "PUT", word)
        answer = Response(status, {}, word.encode(errors="replace"))
        attempt = Attempt(
            Phase.CHUNK, 1, 1, 1, 1.1, 0, status, Failure.REJECTED, word, file_name=word, asked=asked, answer=answer
        )  # fmt: skip
        measured.record_attempt(attempt, 1)
    problem = Problem(Fate.MISSING, word, word, word)
    verdict = Verdict(word, False, word)
    changes: dict[str, Any] = {
        "scenario": {"name": word, "about": word},
        "target": word,
        "verdicts": (verdict,) * many,
        "generator_faults": (word,) * many,
        "notes": (word,) * many,
        "marks": (Mark(1.0, MarkKind.FAULT, word),) * many,
        "workers": (WorkerRecord(word, word),) * many,
        "workload": word,
        "aborted_by": word,
        "audit": AuditRecord(1, 1, (word,), {Fate.MISSING: 1}, (problem,) * many, (word,)),
        "machine": replace(runs.MACHINE, host=word, system=word),
    }
    return runs.run_of(measured, **changes)
