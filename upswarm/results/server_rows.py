"""What the clients counted, beside what the server did: two who looked at the same, from both ends of the line.

Only our own server's counters are known well enough to be compared; of any other the report shows what it said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run

_ROUTE = re.compile(r'[{,]route="((?:[^"\\]|\\.)*)"')
_NOT_OURS = {"none", "/metrics"}


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One thing that both have counted. `agrees` says whether both can be right; `why` what may lie between them."""

    what: str
    clients: float
    server: float
    agrees: bool
    why: str


def server_rows(run: Run) -> list[ServerRow]:
    """The rows for a run; none where its server did not say."""
    measured, server = run.measurements, run.server
    uploads = measured.uploads
    unheard = uploads.failed + uploads.stopped + uploads.aborted
    return [
        *_row(
            "requests answered", measured.attempts, _of_routes(server, "upswarm_requests_total"),
            least=_answered(measured), most=measured.attempts,
            why="a request may have been cut before the server had it, or its answer on the way back",
        ),
        *_row(
            "bytes received", sum(tally.bytes_sent for tally in measured.phases.values()),
            _of_routes(server, "upswarm_received_bytes_total"), least=uploads.finished_bytes,
            most=sum(tally.bytes_sent for tally in measured.phases.values()),
            why="what was on the way when a connection was cut has been sent, and not received",
        ),
        *_row(
            "files", uploads.finished, server.get("upswarm_files"),
            least=uploads.finished, most=uploads.finished + unheard,
            why="a file may stand there whose client was not told so any more",
        ),
    ]  # fmt: skip


def _row(what: str, clients: float, server: float | None, *, least: float, most: float, why: str) -> list[ServerRow]:
    """None where the server said nothing of it."""
    return [] if server is None else [ServerRow(what, clients, server, least <= server <= most, why)]


def _of_routes(server: Mapping[str, float], name: str) -> float | None:
    """The sum of a counter over the routes that uploads take."""
    of_uploads = [
        value
        for series, value in server.items()
        if series.startswith(f"{name}{{") and (route := _ROUTE.search(series)) and not _is_beside(route[1])
    ]
    return sum(of_uploads) if of_uploads else None


def _is_beside(route: str) -> bool:
    return route in _NOT_OURS or route.startswith("/health")


def _answered(measured: Measurements) -> int:
    """Attempts whose client had an answer: the good ones, and those that failed with a status."""
    return sum(
        tally.attempts - tally.failed - tally.stopped - tally.interrupted
        + sum(count for kind, count in tally.failures.items() if kind.endswith(")"))
        for tally in measured.phases.values()
    )  # fmt: skip
