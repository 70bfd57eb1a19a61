"""Seconds of a run as columns: one list for each number, so that hours of them are small and easy to read.

`{"first": 0, "attempts": [4, 7, …], "failed": [0, 1, …], …}`: the n-th number of each list belongs to the second
`first + n` of the run. In a run file `first` is 0; a worker's report begins with the second that it tells of.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from upswarm.results.tallies import SecondTally

COLUMNS = tuple(SecondTally.__slots__)
_values = attrgetter(*COLUMNS)
_NOTHING = (0,) * len(COLUMNS)


def to_columns(seconds: Mapping[int, SecondTally], *, first: int = 0) -> dict[str, Any]:
    """The seconds from the `first` on, up to the last in which there was anything."""
    known = {at: values for at, each in seconds.items() if any(values := _values(each))}
    rows = [known.get(at, _NOTHING) for at in range(first, max(known, default=first - 1) + 1)]
    columns = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
    return {"first": first, **{name: list(column) for name, column in zip(COLUMNS, columns, strict=True)}}


def of_columns(document: Mapping[str, Any]) -> dict[int, SecondTally]:
    """The seconds that gave these columns, without those in which there was nothing."""
    rows = zip(*(document[name] for name in COLUMNS), strict=True)
    return {at: SecondTally(*values) for at, values in enumerate(rows, document["first"]) if any(values)}
