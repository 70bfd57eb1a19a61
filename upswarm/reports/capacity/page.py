"""A capacity as one HTML page that stands alone: it opens offline, and fetches nothing from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upswarm import units
from upswarm.errors import EXIT_OK
from upswarm.files import write_whole
from upswarm.reports import pages, rows
from upswarm.reports.capacity import text as told
from upswarm.reports.capacity.chart import knee
from upswarm.results.capacity import Capacity, End
from upswarm.results.metrics import METRICS
from upswarm.results.steps import Step, Verdict

CAPACITY_PAGE = "capacity.html"

_TONES = {Verdict.HELD: "holds", Verdict.BROKEN: "broken", Verdict.UNCLEAR: "unclear"}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as the table shows it; `run` is the run's folder, relative to the page."""

    load: str
    verdict: str
    tone: str
    p50: str
    p99: str
    goodput: str
    dropped: str
    length: str
    reasons: tuple[str, ...]
    run: str


def write_page(capacity: Capacity, folder: Path) -> Path:
    """Write `capacity.html` into the folder, whole or not at all."""
    path = folder / CAPACITY_PAGE
    write_whole(path, pages.template(CAPACITY_PAGE).render(_context(capacity)))
    return path


def _context(capacity: Capacity) -> dict[str, Any]:
    return {
        "capacity": capacity,
        "name": capacity.name or "unnamed",
        "headline": _headline(capacity),
        "tone": _tone(capacity),
        "sentence": capacity.sentence(),
        "precision": units.format_ratio(capacity.precision_ratio),
        "elapsed": rows.duration(capacity.elapsed_s),
        "definitions": METRICS,
        "steps": [_row(each, capacity) for each in sorted(capacity.steps, key=lambda each: each.load)],
        "knee": knee(capacity),
    }


def _headline(capacity: Capacity) -> str:
    if capacity.held is None:
        return "no load is known to hold"
    return f"{'at least ' if capacity.is_lower_bound else ''}{capacity.by.amount(capacity.held.load)}"


def _tone(capacity: Capacity) -> str:
    if capacity.exit_code == EXIT_OK:
        return "invalid" if capacity.is_lower_bound and capacity.end is not End.MOST else "good"
    return "bad" if capacity.exit_code == 3 else "invalid"


def _row(step: Step, capacity: Capacity) -> StepRow:
    return StepRow(
        load=capacity.by.amount(step.load),
        verdict=told.WORDS[step.verdict],
        tone=_TONES.get(step.verdict, "unclear"),
        p50=rows.duration(step.p50_s),
        p99=rows.duration(step.p99_s),
        goodput=units.format_bandwidth(step.goodput_bytes_per_s),
        dropped=f"{step.dropped:,}",
        length=rows.duration(step.length_s),
        reasons=tuple(told.reasons(step)),
        run=step.run,
    )
