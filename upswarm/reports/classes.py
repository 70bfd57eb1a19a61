"""Classes of files side by side, as rows of text."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm import units
from upswarm.reports import rows
from upswarm.results.run_file import Run
from upswarm.results.slices import Slice
from upswarm.transfer.messages import Phase


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The uploads of one class of files, and its chunks; times are of what succeeded."""

    name: str
    finished: str
    failed: str
    p50: str
    p95: str
    p99: str
    chunk_p95: str
    goodput: str


def class_rows(run: Run) -> list[ClassRow]:
    """In the order of the scenario; none where the scenario does not name its classes, or has only one."""
    found, files = run.measurements.classes, run.scenario.get("files", ())
    if len(files) < 2 or not any(each.get("name") for each in files):
        return []
    names = (each.get("name") or str(place) for place, each in enumerate(files, 1))
    return [_row(name, found[name], run.elapsed_s) for name in names if name in found]


def _row(name: str, part: Slice, elapsed_s: float) -> ClassRow:
    tally, chunks = part.uploads, part.phases[Phase.CHUNK].response_time
    p50, p95, p99 = (rows.duration(tally.response_time.percentile_s(each)) for each in (50, 95, 99))
    return ClassRow(
        name=name,
        finished=f"{tally.finished:,}",
        failed=f"{tally.failed:,}",
        p50=p50,
        p95=p95,
        p99=p99,
        chunk_p95=rows.duration(chunks.percentile_s(95)),
        goodput=units.format_bandwidth(tally.finished_bytes / elapsed_s) if elapsed_s else rows.NONE,
    )
