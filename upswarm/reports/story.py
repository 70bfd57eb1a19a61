"""What happened, in words, for someone who was not there: the run, what was resumed, the warm-up, the audit."""

from __future__ import annotations

from upswarm import units
from upswarm.reports import outages, rows
from upswarm.results.audit_record import BROKEN_PROMISES, Fate
from upswarm.results.marks import MarkKind
from upswarm.results.metrics import METRICS
from upswarm.results.run_file import Run


def told(run: Run) -> list[str]:
    """A few paragraphs: what was asked for and came of it, what was broken meanwhile, what was made for it."""
    measured = run.measurements
    if not measured.attempts:
        return ["Not a single request was sent."]
    return [
        each for each in (_uploads(run), _requests(run) + _arrived(run), _broken(run), _away(run), _files(run)) if each
    ]


def resumed(run: Run) -> str:
    """What retries and resumes cost; "" where there were none."""
    tally, phases = run.measurements.uploads, run.measurements.phases.values()
    retries = sum(each.retries for each in phases)
    if not retries and not tally.resumes and not tally.restarts:
        return ""
    share = units.format_ratio(retries / run.measurements.attempts)
    told = [f"{rows.counted(retries, 'attempt')} repeated another, {share} of all."]
    if tally.resumes:
        told.append(
            f"{rows.counted(tally.resumes, 'time')} an upload that was cut asked what the server held, and went on."
        )
    if tally.restarts:
        told.append(f"{rows.counted(tally.restarts, 'time')} one began again with its first byte.")
    if tally.resent_bytes:
        told.append(f"{units.format_size(tally.resent_bytes)} of finished files went out more than once.")
    return " ".join(told)


def warm_up(run: Run) -> list[tuple[str, str, str]]:
    """Metrics of the whole run beside those without the warm-up; nothing where there was none."""
    if run.settled is None:
        return []
    names = (
        ("goodput", "mean"), ("upload.finished", "count"), ("upload.response_time", "p95"),
        ("chunk.response_time", "p50"), ("chunk.response_time", "p99"),
    )  # fmt: skip
    return [
        (
            f"{metric} {aggregate}",
            rows.figure(run.summary, metric, aggregate),
            rows.figure(run.judged, metric, aggregate),
        )
        for metric, aggregate in names
        if metric in METRICS
    ]


def audited(run: Run) -> str:
    """The outcome of the audit in one sentence; "" where there was none."""
    record = run.audit
    if record is None:
        return ""
    asked = "file" if record.asked == 1 else "files"
    if not record.holds:
        counts = ", ".join(
            f"{record.counts[fate]:,} {fate.value}"
            for fate in Fate
            if fate in BROKEN_PROMISES and record.counts.get(fate)
        )
        looked_at = f"of the {record.asked:,} acknowledged {asked} that were looked at"
        return f"The server did not keep its word: {looked_at}, {counts}."
    if not record.asked:
        return "Nothing was audited: no acknowledged file was looked at."
    intact = record.counts.get(Fate.INTACT, 0)
    if intact < record.asked:
        return (
            f"No promise was found broken, but not all could be checked: {intact:,} of {record.asked:,} acknowledged "
            f"{asked} are there as they were sent."
        )
    which = f"Every one of the {record.promised:,} files that the server acknowledged is there"
    if record.asked < record.promised:
        looked_at = f"{record.asked:,} files that were looked at, of {record.promised:,} acknowledged ones"
        which = f"Each of the {looked_at}, is there"
    if "digest" in record.checks:
        return f"{which} and byte for byte what was sent."
    return f"{which}; its bytes were not compared (checked: {', '.join(record.checks) or 'nothing'})."


def _uploads(run: Run) -> str:
    uploads = run.measurements.uploads
    ended = uploads.finished + uploads.failed + uploads.aborted + uploads.stopped
    aborted = f"{uploads.aborted:,} were given up on purpose, " if uploads.aborted else ""
    return (
        f"In {units.format_duration(run.elapsed_s)}, {rows.counted(ended, 'upload')} ended: {uploads.finished:,} "
        f"finished ({rows.figure(run.summary, 'goodput', 'total')}), {uploads.failed:,} failed after all retries, "
        f"{aborted}and {uploads.stopped:,} had to stop because the run was over."
    )


def _requests(run: Run) -> str:
    measured = run.measurements
    failed = sum(tally.failed for tally in measured.phases.values())
    retries = sum(tally.retries for tally in measured.phases.values())
    return (
        f"{rows.counted(measured.attempts, 'request')} went over the wire: {retries:,} of them repeated another, "
        f"and {failed:,} failed{_when_failed(run)}."
    )


def _arrived(run: Run) -> str:
    """What became of an open load; for other loads nothing."""
    tally = run.measurements.arrivals
    due = tally.begun + tally.dropped
    if due == 0:
        return ""
    return (
        f" {rows.counted(due, 'arrival')} came due: {tally.begun:,} began, {tally.late:,} of them late "
        f"(more than 10 ms), and {tally.dropped:,} found all slots taken, were dropped and never sent."
    )


def _broken(run: Run) -> str:
    faults = [mark for mark in run.marks if mark.kind is MarkKind.FAULT]
    if not faults:
        return ""
    first = min(faults, key=lambda mark: mark.at_s)
    return (
        f"{rows.counted(len(faults), 'fault')} {'is' if len(faults) == 1 else 'are'} marked, the first after "
        f"{units.format_duration(first.at_s)}: {first.sentence}. What each cost stands below the first chart."
    )


def _away(run: Run) -> str:
    """The outages that no fault explains; of many the first."""
    if not any(tally.response_time.count for tally in run.measurements.phases.values()):
        return "Not one request succeeded."
    found = outages.unexplained(run)
    if not found:
        return ""
    more = f", the first of {rows.counted(len(found), 'outage')}" if len(found) > 1 else ""
    told = outages.sentence(run, found[0])
    return f"{told[0].upper()}{told[1:]}{more}. Below the first chart stands what it cost."


def _files(run: Run) -> str:
    """How large the files were for the server, and what they took of the disks here."""
    made = run.measurements.files
    if not made.made:
        return ""
    apparent, allocated = units.format_size(made.apparent_bytes), units.format_size(made.allocated_bytes)
    return (
        f"{rows.counted(made.made, 'file')} of {apparent} in all {'was' if made.made == 1 else 'were'} made to be "
        f"uploaded, which took {allocated} of the disks here."
    )


def _when_failed(run: Run) -> str:
    seconds = [second for second, tally in run.measurements.seconds.items() if tally.failed]
    if not seconds:
        return ""
    first, last = min(seconds), max(seconds)
    return (
        f", all in second {first}" if first == last else f", the first in second {first} and the last in second {last}"
    )
