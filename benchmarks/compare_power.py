"""How often does `upswarm compare` cry wolf, and how often does it find a change that is there?

Runs of a known process are made up and compared, many times over: a minute of 20 chunks a second whose level wanders
from second to second, more or less like its neighbour, and which may differ from run to run. docs/design/comparison.md
has the figures.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.table import table
from tests.results.comparison.comparisons import pair, wandering
from upswarm.results.comparison.comparison import DEFAULT_BAND_RATIO, change_of
from upswarm.results.metrics import METRICS
from upswarm.results.run_file import Run

AGGREGATES = ("mean", "p50", "p95")
WORDS = ("worse", "better", "same", "unclear", "beyond noise")
HEADINGS = ("seconds alike", "runs differ", "runs a side", "true change", "figure", *WORDS)


class Case(NamedTuple):
    """A process, how many runs there are of it on a side, and by how much the other side is slower."""

    likeness: float
    wander: float
    apart: float
    runs: int
    shift: float


CASES = (
    *(Case(likeness, wander, 0.0, 1, shift)
      for likeness, wander in ((0.0, 0.0), (0.5, 0.1), (0.9, 0.05)) for shift in (0.0, 0.2)),
    Case(0.5, 0.1, 0.05, 1, 0.0),
    *(Case(0.5, 0.1, 0.05, runs, shift) for runs in (2, 3, 5) for shift in (0.0, 0.2)),
)  # fmt: skip


def main() -> None:
    """Print a row for each case and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500, help="comparisons for each case")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = [row for case in CASES for row in _rows(case, options.trials, random.Random(options.seed))]
    print(table(HEADINGS, rows))


def _rows(case: Case, trials: int, dice: random.Random) -> Iterator[tuple[str, ...]]:
    said = {aggregate: Counter[str]() for aggregate in AGGREGATES}
    for _ in range(trials):
        base, other = pair(*([_run(case, scale, dice) for _ in range(case.runs)] for scale in (1.0, 1.0 + case.shift)))
        for aggregate, words in said.items():
            change = change_of(
                base, other, METRICS["chunk.response_time"], aggregate, DEFAULT_BAND_RATIO, identical=False
            )
            words.update([change.word.value, *(["beyond noise"] if change.is_significant else [])])
    for aggregate, words in said.items():
        shares = (f"{words[word] / trials:.1%}" for word in WORDS)
        yield (f"{case.likeness:g}", f"{case.apart:.0%}", str(case.runs), f"{case.shift:+.0%}", aggregate, *shares)


def _run(case: Case, scale: float, dice: random.Random) -> Run:
    return wandering(dice, scale=scale, likeness=case.likeness, wander=case.wander, apart=case.apart)


if __name__ == "__main__":
    main()
