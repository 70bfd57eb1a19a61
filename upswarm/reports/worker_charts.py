"""What each worker sent over the run: a line each, or of many the least, the middle one and the most."""

from __future__ import annotations

from statistics import median

from upswarm.reports import drawing
from upswarm.reports.drawing import BANDWIDTH, COLOURS, Chart, Series
from upswarm.results.run_file import Run, WorkerRecord

_MOST_LINES = len(COLOURS)


def worker_chart(run: Run) -> Chart | None:
    """None where there is nothing to compare."""
    known = [each for each in run.workers if any(each.series.bytes_sent)]
    if len(known) < 2:
        return None
    width_s = max(each.series.width_s for each in known)
    alone = len({each.host for each in known}) == len(known)  # each on a host, or in a container, of its own
    rates = {each.host if alone else each.worker_id: _rates(each, width_s) for each in known}
    highest = max(max(row) for row in rates.values())
    few = len(known) <= _MOST_LINES
    lines = _each(rates, width_s) if few else _spread(rates, width_s)
    what = (
        "each worker"
        if few
        else f"the slowest, the middle one and the fastest of {len(known):,} workers in each stretch"
    )
    option = drawing.option(
        drawing.clock_axis(max(run.elapsed_s, *(len(row) * width_s for row in rates.values()))),
        drawing.size_axis(highest, bandwidth=True),
        lines,
    )
    return Chart("workers", f"What {what} sent over the run.", {"": option}, 280)


def _each(rates: dict[str, list[float]], width_s: int) -> list[Series]:
    return [
        drawing.line(name, _points(row, width_s), colour, BANDWIDTH)
        for (name, row), colour in zip(rates.items(), COLOURS, strict=False)
    ]


def _spread(rates: dict[str, list[float]], width_s: int) -> list[Series]:
    length = max(map(len, rates.values()))
    columns = [[row[at] if at < len(row) else 0.0 for row in rates.values()] for at in range(length)]
    rows = (("most", max, "var(--p50)"), ("middle", median, "var(--p95)"), ("least", min, "var(--p99)"))
    return [
        drawing.line(name, _points([float(pick(column)) for column in columns], width_s), colour, BANDWIDTH)
        for name, pick, colour in rows
    ]


def _points(row: list[float], width_s: int) -> list[list[float | None]]:
    return drawing.at_seconds(((at + 0.5) * width_s, value) for at, value in enumerate(row))


def _rates(worker: WorkerRecord, width_s: int) -> list[float]:
    """Bytes per second in stretches of this width, of which a worker's own is a part."""
    series, many = worker.series, width_s // worker.series.width_s
    sent = series.bytes_sent
    return [sum(sent[at : at + many]) / width_s for at in range(0, len(sent), many)]
