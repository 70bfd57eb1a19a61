"""What the server said, as rows of text: beside what the clients counted, and as it said it."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm import units
from upswarm.results.run_file import Run
from upswarm.results.server_rows import server_rows


@dataclass(frozen=True, slots=True)
class BothRow:
    """One thing that clients and server have counted; `note` is "" where they are the same."""

    what: str
    clients: str
    server: str
    agrees: bool
    note: str


def both_rows(run: Run) -> list[BothRow]:
    """None where the server did not say, or where its counters are not known."""
    return [
        BothRow(
            each.what,
            _written(each.what, each.clients),
            _written(each.what, each.server),
            each.agrees,
            "" if each.clients == each.server else each.why,
        )
        for each in server_rows(run)
    ]


def said(run: Run) -> list[tuple[str, str]]:
    """Every counter of the server that grew, by its name."""
    known = {name: value for name, value in run.server.items() if value}
    return [
        (name, f"{value:,.0f}" if value == int(value) else f"{value:,.3f}") for name, value in sorted(known.items())
    ]


def _written(what: str, value: float) -> str:
    return units.format_size(value) if what.startswith("bytes") else f"{value:,.0f}"
