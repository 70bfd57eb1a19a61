"""A run as `summary.md`, for a pull request or a job's page: the verdict first, and short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from upswarm.files import write_whole
from upswarm.reports import facts, rows, workers
from upswarm.reports.conclusion import FAILED, PASSED, Conclusion
from upswarm.reports.failures import ExampleRow, failure_rows
from upswarm.reports.outputs.markdown_text import cell_code, code, prose, table
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Verdict

SUMMARY_FILE = "summary.md"

_MOST_THRESHOLDS = 40
_MOST_FAILURES = 8
_MOST_SENTENCES = 10
_SIGNS = {PASSED: "✅", FAILED: "❌"}
_NO_VERDICT = "⚠️"


def write_markdown(run: Run, folder: Path) -> Path:
    """Write `summary.md` into the folder, whole or not at all."""
    path = folder / SUMMARY_FILE
    write_whole(path, markdown(run))
    return path


def markdown(run: Run) -> str:
    """Short enough for a comment on GitHub, which holds 65,536 letters, whatever the run has in it."""
    blocks = [_head(run), _thresholds(run), _told(run), _figures(run), _times(run), _failures(run), _foot(run)]
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block))) + "\n"


def _head(run: Run) -> Iterator[str]:
    conclusion = Conclusion.of(run)
    sign = _SIGNS.get(conclusion.word, _NO_VERDICT)
    yield f"## {sign} {code(facts.name(run))}: {conclusion.word}"
    yield ""
    yield f"{prose(conclusion.sentence)} Exit code {conclusion.exit_code}."
    if run.generator_faults:
        yield ""
    yield from _listed(run.generator_faults)


def _thresholds(run: Run) -> Iterator[str]:
    """In the scenario's order; where there are too many, those that did not hold stand first.

    Where the generator failed no verdict counts, so what it would have been stands in brackets.
    """
    sign = "({})" if run.generator_faults else "{}"
    verdicts = list(run.verdicts)
    if len(verdicts) > _MOST_THRESHOLDS:
        verdicts.sort(key=lambda verdict: verdict.holds)
    if verdicts:
        lines = (_threshold(verdict, sign) for verdict in verdicts[:_MOST_THRESHOLDS])
        yield from table(("", "threshold", "observed"), lines, numbers_from=3)
    if len(verdicts) > _MOST_THRESHOLDS:
        yield from ["", f"And {rows.counted(len(verdicts) - _MOST_THRESHOLDS, 'more threshold')}."]


def _threshold(verdict: Verdict, sign: str) -> tuple[str, str, str]:
    held = sign.format("✅" if verdict.holds else "❌")
    return held, cell_code(verdict.threshold, 160), prose(verdict.observed, 120)


def _told(run: Run) -> Iterator[str]:
    """The audit, and what one has to know about the verdicts and the generator."""
    if run.audit is not None:
        yield f"- {'✅' if run.audit.holds else '❌'} Audit: {prose(facts.audit(run.audit))}"
    yield from (f"- {prose(each)}" for each in facts.judging(run))
    yield from (f"- ⚠️ {prose(each, 500)}" for each in workers.warnings(run))
    yield from _listed([*facts.faults(run), *(f"{each}." for each in run.notes)])


def _listed(sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"- {prose(each)}" for each in sentences[:_MOST_SENTENCES])
    if len(sentences) > _MOST_SENTENCES:
        yield f"- and {len(sentences) - _MOST_SENTENCES} more"


def _figures(run: Run) -> Iterator[str]:
    against = f"Against {code(run.target)}: {prose(rows.load(run))}, {rows.lasted(run)}"
    yield " · ".join([against, *facts.uploads(run), *filter(None, [workers.files(run)])])


def _times(run: Run) -> Iterator[str]:
    lines = [(row.name, row.count, row.failed, row.retries, row.p50, row.p95, row.p99, row.sent_per_s)
             for row in rows.time_rows(run)]  # fmt: skip
    if lines:
        yield from table(("phase", "count", "failed", "retries", "p50", "p95", "p99", "sent"), lines, numbers_from=1)


def _failures(run: Run) -> Iterator[str]:
    found = sorted(failure_rows(run), key=lambda row: -row.count)
    shown = found[:_MOST_FAILURES]
    if not found:
        return
    cells = ((f"{row.count:,}", row.name, cell_code(row.kind, 40), prose(row.meaning), _example(row.examples))
             for row in shown)  # fmt: skip
    yield from table(("failed", "phase", "kind", "which means", "for example"), cells, numbers_from=5)
    if len(found) > len(shown):
        left = found[len(shown) :]
        yield from ["", f"And {sum(row.count for row in left):,} of {rows.counted(len(left), 'other kind')}."]


def _example(examples: tuple[ExampleRow, ...]) -> str:
    words = [word for each in examples[:1] for word in (each.message, each.asked, each.said) if word]
    return cell_code(" · ".join(words), 160)


def _foot(run: Run) -> Iterator[str]:
    machine = run.machine
    yield (f"<sub>Run {code(run.run_id)} of {run.started_at}, upswarm {prose(machine.upswarm, 40)}, on "
           f"{code(machine.host, 60)} with {machine.cpus_story} {'CPU' if machine.cpus == 1 else 'CPUs'}; the whole "
           "report is in <code>report.html</code>.</sub>")  # fmt: skip
