"""Synthetic capacities: what the page and the table are tested with, and looked at with.

`python -m tests.reports.capacity.capacities FOLDER` writes the page of each of them below the folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from upswarm.reports.capacity.page import write_page
from upswarm.reports.capacity.text import headline, row, summary
from upswarm.results.capacity import Capacity, End
from upswarm.results.objectives import Finding, Judgement, parse
from upswarm.results.steps import By, Step, Verdict

MIB = 1 << 20
LIMIT = "chunk.response_time p99 < 400ms"
_JUDGEMENTS = {
    Verdict.HELD: Judgement.HOLDS,
    Verdict.GENERATOR: Judgement.HOLDS,
    Verdict.BROKEN: Judgement.BROKEN,
    Verdict.UNCLEAR: Judgement.UNCLEAR,
}


def step(load: float, verdict: Verdict = Verdict.HELD, p99_s: float = 0.2, **changes: Any) -> Step:
    """A step; `changes` are fields of `Step`."""
    finding = Finding(LIMIT, _JUDGEMENTS[verdict], p99_s, p99_s * 0.97, p99_s * 1.03)
    goodput = min(load, 44.0) * 5 * MIB
    place = f"{load:g}-users-20s/20250314-092653-evening-rush"
    return replace(Step(load, verdict, (finding,), 20.0, True, p99_s / 3, p99_s, goodput, 0, (), place), **changes)


def capacity(*steps: Step, **changes: Any) -> Capacity:
    """A capacity; `changes` are fields of `Capacity`."""
    whole = Capacity(
        name="evening-rush",
        target="http://127.0.0.1:8000",
        by=By.USERS,
        objectives=(LIMIT, "upload.failed count == 0"),
        precision_ratio=0.05,
        started_at="2025-03-14T09:26:53+00:00",
        elapsed_s=287.4,
        end=End.FOUND,
        steps=steps,
    )
    return replace(whole, **changes)


def found() -> Capacity:
    """Doubled to 64, then halved between."""
    return capacity(
        step(1, p99_s=0.012), step(2, p99_s=0.014), step(4, p99_s=0.021), step(8, p99_s=0.035), step(16, p99_s=0.08),
        step(32, p99_s=0.19), step(64, Verdict.BROKEN, 2.31), step(48, Verdict.BROKEN, 0.612), step(40, p99_s=0.33),
        step(44, Verdict.UNCLEAR, 0.401), step(42, p99_s=0.371),
    )  # fmt: skip


def generator() -> Capacity:
    """An open load, for which the generator ran out of slots before the target gave in."""
    strained = step(20.0, Verdict.GENERATOR, 0.2, dropped=312, strain=("312 arrivals found no room and were dropped",))
    return capacity(step(2.5), step(5), step(10), strained, by=By.ARRIVALS)


def nothing() -> Capacity:
    """The smallest load breaks."""
    return capacity(step(1, Verdict.BROKEN, 0.7), end=End.LEAST)


def silent() -> Capacity:
    """Cut off before the first step had ended."""
    return capacity(end=End.CUT_OFF)


CAPACITIES: dict[str, Callable[[], Capacity]] = {
    "found": found, "generator": generator, "nothing": nothing, "silent": silent,
}  # fmt: skip


if __name__ == "__main__":
    for name, build in CAPACITIES.items():
        folder = Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        print(headline(build().name, build().by, [parse(each) for each in build().objectives]))
        print("\n".join(row(each, build().by) for each in build().steps))
        print(f"\n{summary(build())}\n{write_page(build(), folder)}\n\n")
