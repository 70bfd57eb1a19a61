"""The charts of a comparison: all sides over one another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from upswarm import units
from upswarm.reports import drawing
from upswarm.reports.drawing import Chart, Option, Series
from upswarm.results.comparison.sides import Side
from upswarm.results.histogram import Histogram
from upswarm.results.run_file import Run
from upswarm.transfer.messages import Phase

_MOST_POINTS = 80
_LONGEST_TAIL = 100_000


def distributions(sides: Sequence[Side]) -> Chart | None:
    """Response times by percentile, a chart for each phase and one for whole uploads; None without any times."""
    options = {name: _distribution(sides, name) for name in _phases(sides)}
    words = "; ".join(f"{name}: {_medians(sides, name)}" for name in options)
    return (
        Chart("distributions", f"Response times by percentile. Medians and p99: {words}.", options) if options else None
    )


def goodput(sides: Sequence[Side]) -> Chart | None:
    """Bytes of finished files per second, over the time of each run; None where no file was finished."""
    last_s = max((run.elapsed_s for side in sides for run in side.runs), default=0.0)
    width_s = max(last_s / _MOST_POINTS, *(_width_s(run) for side in sides for run in side.runs))
    points = [(at, _goodput(run, width_s)) for at, side in enumerate(sides) for run in side.runs]
    highest = max((value for _, each in points for _, value in each), default=0.0)
    if not highest:
        return None
    series = [_line(sides[at].letter, at, drawing.at_seconds(each), drawing.BANDWIDTH) for at, each in points]
    means = ", ".join(f"{side.letter} {units.format_bandwidth(_mean(side))}" for side in sides)
    option = drawing.option(drawing.clock_axis(last_s), drawing.size_axis(highest, bandwidth=True), series)
    return Chart("goodput", f"Goodput over the time of the runs. Means: {means}.", {"": option})


def _phases(sides: Sequence[Side]) -> Iterator[str]:
    """Those with times, the chunks first, for they are what is looked at most."""
    names = [Phase.CHUNK.value, "upload", *(phase.value for phase in Phase if phase is not Phase.CHUNK)]
    return (name for name in names if any(_times(side, name).count for side in sides))


def _distribution(sides: Sequence[Side], name: str) -> Option:
    known = [(at, side, _times(side, name)) for at, side in enumerate(sides) if _times(side, name).count]
    series = [_line(side.letter, at, drawing.hdr_points(times), drawing.DURATION) for at, side, times in known]
    most = min(10 ** math.ceil(math.log10(max(times.count for _, _, times in known)) - 1e-9), _LONGEST_TAIL)
    shortest_s = min(times.min_s or 1e-6 for _, _, times in known)
    longest_s = max(times.max_s or 1e-6 for _, _, times in known)
    times_axis = drawing.time_axis(shortest_s, longest_s)
    return drawing.option(drawing.percentile_axis(100 - 100 / most), times_axis, series)


def _times(side: Side, name: str) -> Histogram:
    measured = side.summary.measurements
    return measured.uploads.response_time if name == "upload" else measured.phases[Phase(name)].response_time


def _medians(sides: Sequence[Side], name: str) -> str:
    return ", ".join(
        f"{side.letter} {units.format_duration(_at(times, 50))} and {units.format_duration(_at(times, 99))}"
        for side in sides
        if (times := _times(side, name)).count
    )


def _at(times: Histogram, percentile: float) -> float:
    return times.percentile_s(percentile) or 0.0


def _line(letter: str, at: int, points: Sequence[object], formatter: str) -> Series:
    """The base is dashed, so that the two can be told apart without colours too."""
    style = {"width": 2, "type": "dashed" if at == 0 else "solid"}
    return drawing.line(letter, points, drawing.COLOURS[at % len(drawing.COLOURS)], formatter, lineStyle=style)


def _width_s(run: Run) -> float:
    return run.measurements.intervals.width_s


def _goodput(run: Run, width_s: float) -> list[tuple[float, float]]:
    """A point in the middle of each stretch of about `width_s`, which is made of whole intervals."""
    intervals = run.measurements.intervals
    size = math.ceil(width_s / intervals.width_s - 1e-9)
    stretch_s = size * intervals.width_s
    sums = [sum(intervals.at(number).uploads.finished_bytes for number in range(at, at + size))
            for at in range(0, len(intervals), size)]  # fmt: skip
    whole = [(at, total) for at, total in enumerate(sums) if (at + 1) * stretch_s <= run.elapsed_s]
    return [((at + 0.5) * stretch_s, total / stretch_s) for at, total in whole]


def _mean(side: Side) -> float:
    uploads, elapsed_s = side.summary.measurements.uploads, side.summary.elapsed_s
    return uploads.finished_bytes / elapsed_s if elapsed_s else 0.0
