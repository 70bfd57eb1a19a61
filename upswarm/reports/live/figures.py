"""The key figures of a run that goes on: rates of now beside those of the whole run, and what became of the uploads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from upswarm import units
from upswarm.reports.rows import NONE
from upswarm.results.measurements import Measurements

if TYPE_CHECKING:
    from upswarm.reports.live.live import Live

NOW_S = 10
"""A rate of now is the mean of so many seconds: fewer would show single files."""
_SUMMED = ("bytes_sent", "finished_bytes", "finished", "failed")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A number of now, and of the whole run, with `detail` on the latter; `key` never changes, `name` is for people."""

    key: str
    name: str
    now: str
    whole: str
    detail: str = ""


def figures(live: Live) -> Iterator[FigureRow]:
    """The rates, and what became of the uploads."""
    measured, uploads, over = live.measurements, live.measurements.uploads, live.elapsed_s or 1.0
    sent_bytes = sum(tally.bytes_sent for tally in measured.phases.values())
    retries = sum(tally.retries for tally in measured.phases.values())
    failed = sum(tally.failed for tally in measured.phases.values())
    recent = {} if live.conclusion else _recent(measured, live.known_s)
    yield _volume("goodput", uploads.finished_bytes, over, recent.get("finished_bytes"))
    yield _volume("sent", sent_bytes, over, recent.get("bytes_sent"))
    now = NONE if live.conclusion else f"{live.in_flight:,}"
    yield FigureRow("in_flight", "uploads in flight", now, f"{live.levels.highest:,}", "the most at a time")
    yield FigureRow("finished", "uploads finished", _rate(recent.get("finished")), f"{uploads.finished:,}")
    yield FigureRow("failed", "uploads failed", NONE, f"{uploads.failed:,}", "given up after all retries")
    yield FigureRow("failed_attempts", "failed attempts", _rate(recent.get("failed")), f"{failed:,}")
    for key, count in (("retries", retries), ("resumes", uploads.resumes), ("interruptions", uploads.interruptions)):
        yield FigureRow(key, key, NONE, f"{count:,}", "on purpose" if key == "interruptions" else "")
    if measured.arrivals.begun or measured.arrivals.dropped:
        late, dropped = measured.arrivals.late, measured.arrivals.dropped
        detail = f"begun; {late:,} of them late, and {dropped:,} more dropped"
        yield FigureRow("arrivals", "arrivals", NONE, f"{measured.arrivals.begun:,}", detail)


def _volume(name: str, total_bytes: int, elapsed_s: float, recent_bytes: int | None) -> FigureRow:
    now = NONE if recent_bytes is None else units.format_bandwidth(recent_bytes / NOW_S)
    mean, total = units.format_bandwidth(total_bytes / elapsed_s), units.format_size(total_bytes)
    return FigureRow(name, name, now, mean, f"mean; {total} in all")


def _rate(count: int | None) -> str:
    return NONE if count is None else f"{count / NOW_S:.1f}/s"


def _recent(measured: Measurements, known_s: float) -> dict[str, int]:
    """What the last whole seconds that are known come to; nothing before there are enough of them."""
    last = int(known_s)
    if last < NOW_S:
        return {}
    within = [measured.seconds[at] for at in range(last - NOW_S, last) if at in measured.seconds]
    return {name: sum(getattr(each, name) for each in within) for name in _SUMMED}
