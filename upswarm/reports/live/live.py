"""A run while it goes on, and after it has ended, as the JSON document that the live page draws. docs/web-ui.md.

Tables come as texts, with their units; the series of the charts as numbers, from `from_s` on, so that a page that has
the beginning asks for the end only. There are never more than 256 points, however long the run is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from upswarm.reports.conclusion import Conclusion
from upswarm.reports.live import figures as live_figures
from upswarm.reports.live import rows as live_rows
from upswarm.results.generator import Health
from upswarm.results.intervals import Interval, Intervals
from upswarm.results.levels import Levels
from upswarm.results.measurements import Measurements
from upswarm.results.sparse_times import SparseTimes
from upswarm.results.thresholds import Verdict
from upswarm.transfer.messages import Phase

Document = dict[str, Any]

UPLOAD = "upload"
CHARTED = (50, 95, 99)
"""The percentiles that are drawn over time."""
NARROWEST_S = 1.0


class State(StrEnum):
    """Whether there is a run to show."""

    NONE = "none"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """A worker as the master sees it: `state` in a word or two, and its last report, which came `age_s` ago."""

    worker_id: str
    host: str
    state: str
    in_flight: int = 0
    goodput_per_s: float | None = None
    reports: int = 0
    age_s: float | None = None
    health: Health = field(default=Health())


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of this process that has ended and left its files; a ledger only where it was kept."""

    run_id: str
    scenario: str
    word: str
    started_at: str
    ledger: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of a run at a moment. What ended before `known_s` has been reported by every worker.

    `stage` says what the load does now. `verdicts` are the thresholds as they stand, and `conclusion` is there when the
    run has ended.
    """

    state: State = State.NONE
    run_id: str = ""
    scenario: str = ""
    about: str = ""
    target: str = ""
    load: str = ""
    stage: str = ""
    elapsed_s: float = 0.0
    planned_s: float | None = None
    known_s: float = 0.0
    users: int = 0
    in_flight: int = 0
    levels: Levels = field(default_factory=Levels)
    measurements: Measurements = field(default_factory=Measurements)
    verdicts: tuple[Verdict, ...] = ()
    workers: tuple[LiveWorker, ...] = ()
    remarks: tuple[str, ...] = ()
    conclusion: Conclusion | None = None


def document(live: Live, runs: list[PastRun], *, phase: str = Phase.CHUNK, from_s: float = 0.0) -> Document:
    """What the page needs; `phase` is the one whose times are drawn, `upload` for whole uploads."""
    return {
        "state": live.state,
        "run": _facts(live),
        "figures": _plain(live_figures.figures(live)),
        "phases": _plain(live_rows.phases(live)),
        "failures": _plain(live_rows.failures(live)),
        "workers": _plain(live_rows.workers(live)),
        "thresholds": _plain(live_rows.thresholds(live)),
        "series": _series(live, phase, from_s),
        "in_flight": [list(point) for point in live.levels.points()],
        "runs": _plain(runs),
    }


def _plain(rows: Iterable[Any]) -> list[Document]:
    """Rows of texts; `asdict` would copy each of them, while uploads wait."""
    return [{each.name: getattr(row, each.name) for each in fields(row)} for row in rows]


def _facts(live: Live) -> Document:
    facts = {name: getattr(live, name) for name in ("run_id", "scenario", "about", "target", "load", "users")}
    return {
        **facts,
        "elapsed_s": round(live.elapsed_s, 1),
        "elapsed": live_rows.elapsed(live),
        "remarks": list(live.remarks),
        "conclusion": None if live.conclusion is None else _plain([live.conclusion])[0],
    }


def _series(live: Live, phase: str, from_s: float) -> Document:
    """Points of `width_s` each, the first of them the one around `from_s`; the last ends where no more is known."""
    intervals = live.measurements.intervals.from_start()
    width_s = max(NARROWEST_S, intervals.width_s)
    numbers = range(int(max(from_s, 0.0) / width_s), _points(live, width_s))
    points = [_point(intervals, number * width_s, width_s, phase) for number in numbers]
    return {"phase": phase, "width_s": width_s, "points": points}


def _points(live: Live, width_s: float) -> int:
    """How many points there are. One that is mostly to come, or was cut short by the end, would look like a slump."""
    if live.state is State.RUNNING:
        return math.floor(live.known_s / width_s)
    return max(math.floor(live.elapsed_s / width_s + 0.5), math.ceil(min(live.elapsed_s, 1.0)))


def _point(intervals: Intervals, at_s: float, width_s: float, phase: str) -> Document:
    """Rates per second, counts, and the times of one phase in seconds, or none where nothing of it succeeded.

    It may be several intervals wide.
    """
    first, each = round(at_s / intervals.width_s), round(width_s / intervals.width_s)
    within = [intervals.at(number) for number in range(first, first + each)]
    tallies = [tally for interval in within for tally in interval.phases.values()]
    return {
        "at_s": at_s,
        "goodput_per_s": round(sum(interval.uploads.finished_bytes for interval in within) / width_s),
        "sent_per_s": round(sum(tally.bytes_sent for tally in tallies) / width_s),
        "failed_attempts": sum(tally.failed for tally in tallies),
        "failed_uploads": sum(interval.uploads.failed for interval in within),
        "retries": sum(tally.retries for tally in tallies),
        "times_s": list(_times(within, phase)),
    }


def _times(within: list[Interval], phase: str) -> Iterator[float]:
    if phase == UPLOAD:
        times = [interval.uploads.response_time for interval in within]
    else:
        times = [interval.phases[Phase(phase)].response_time for interval in within if phase in interval.phases]
    for value_s in _added(times).percentiles_s(*CHARTED):
        yield float(f"{value_s:.4g}")


def _added(times: list[SparseTimes]) -> SparseTimes:
    if len(times) == 1:
        return times[0]
    added = SparseTimes()
    for each in times:
        added.add(each)
    return added
