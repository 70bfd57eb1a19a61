"""What a run comes to: one word, the sentence that gives the reason, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm.errors import EXIT_AUDIT, EXIT_GENERATOR, EXIT_OK
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.run_file import Run

PASSED, FAILED, INVALID = "passed", "failed", "invalid measurement"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """`word` is `passed`, `failed` or `invalid measurement`; `sentence` says why."""

    word: str
    sentence: str
    exit_code: int

    @classmethod
    def of(cls, run: Run) -> Conclusion:
        """The conclusion that the run's exit code stands for."""
        if run.exit_code == EXIT_GENERATOR:
            return cls(INVALID, "The load generator itself failed, so no verdict counts.", run.exit_code)
        if run.exit_code == EXIT_OK:
            return cls(PASSED, _why_passed(len(run.verdicts)) + _audited(run.audit), run.exit_code)
        if run.exit_code == EXIT_AUDIT and run.audit is not None:
            return cls(FAILED, _why_broken(run.audit), run.exit_code)
        return cls(FAILED, _why_failed(run), run.exit_code)


def _why_passed(thresholds: int) -> str:
    match thresholds:
        case 0:
            return "The scenario sets no threshold, so there was nothing to hold."
        case 1:
            return "The one threshold held."
    return f"All {thresholds} thresholds held."


def _audited(audit: AuditRecord | None) -> str:
    """What can be said of an audit that found nothing broken; what it could not verify is no success of it."""
    if audit is None:
        return ""
    unverified = audit.counts.get(Fate.UNVERIFIABLE, 0)
    if unverified == 0:
        return " The audit found no promise broken."
    whose = "any file" if unverified >= audit.asked else f"{unverified:,} of {audit.asked:,} files"
    return f" The audit found no promise broken, but could not verify the bytes of {whose}."


def _why_broken(audit: AuditRecord) -> str:
    files = "file is" if audit.broken == 1 else "files are"
    return f"{audit.broken:,} acknowledged {files} missing or wrong: the audit asked for {audit.asked:,}."


def _why_failed(run: Run) -> str:
    broken = [verdict for verdict in run.verdicts if not verdict.holds]
    if len(run.verdicts) == 1:
        return f"The one threshold did not hold: {broken[0].threshold}."
    if len(broken) == 1:
        return f"1 of {len(run.verdicts)} thresholds did not hold: {broken[0].threshold}."
    return f"{len(broken)} of {len(run.verdicts)} thresholds did not hold."
