"""One sample: a target, driven for a while; bytes per second of chunks and of whole files, and what they cost."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks import spreading
from benchmarks.client import Connection
from benchmarks.crowd import Round, Span, Steps, crowd
from benchmarks.dialects import PHASES, Dialect, Work
from benchmarks.servers import Target

GIB = 1 << 30
UNTIL_FINISHED = PHASES[:-1]


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of one target in one repeat; None where the target has no such figure.

    `chunk_bytes_per_s`: bytes of chunks that were answered with success while all connections were sending, per second.
    `file_bytes_per_s`: bytes of finished files per second from before init to after finalize.
    `server_s_per_gib`: CPU seconds, user and system, of the server's processes per GiB in the phase of chunks;
    `server_file_s_per_gib`: the same from before init to after finalize. `client_s_per_gib`: of the client, for chunks.
    """

    chunk_bytes_per_s: float
    file_bytes_per_s: float | None = None
    server_s_per_gib: float | None = None
    server_file_s_per_gib: float | None = None
    client_s_per_gib: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        return dataclasses.asdict(self)


def take(
    target: Target, dialect: type[Dialect], work: Work, *, connections: int, workers: int, seconds: float
) -> Sample:
    """Whole files, round by round, until chunks have been sent for at least this time."""
    costs = _Costs(target.cpu_s, seconds)
    with spreading.connections(target, connections, workers) as opened:
        members = [partial(_steps, dialect, connection, work) for connection in opened]
        with crowd(members, PHASES) as clients:
            rounds = clients.rounds(costs.more, costs.boundary)
    sent_gib = len(rounds) * connections * work.size_bytes / GIB
    return Sample(
        chunk_bytes_per_s=chunk_rate(rounds, len(work.chunk)),
        file_bytes_per_s=sent_gib * GIB / _files_s(rounds) if dialect.makes_files else None,
        server_s_per_gib=costs.server_s["chunks"] / sent_gib,
        server_file_s_per_gib=costs.of_files_s() / sent_gib if dialect.makes_files else None,
        client_s_per_gib=sum(span["chunks"].cpu_s for spans in rounds for span in spans) / sent_gib,
    )


class _Costs:
    """The server's CPU time by phase, and whether there is time for another round."""

    def __init__(self, cpu_s: Callable[[], float], seconds: float) -> None:
        self.server_s = dict.fromkeys(PHASES, 0.0)
        self._cpu_s = cpu_s
        self._left_s = seconds
        self._began: tuple[float, float] | None = None

    def boundary(self, phase: str) -> None:
        now = (self._cpu_s(), time.monotonic())
        if self._began is None:
            self._began = now
            return
        self.server_s[phase] += now[0] - self._began[0]
        self._left_s -= now[1] - self._began[1] if phase == "chunks" else 0
        self._began = None

    def of_files_s(self) -> float:
        return sum(self.server_s[phase] for phase in UNTIL_FINISHED)

    def more(self) -> bool:
        return self._left_s > 0


def _steps(dialect: type[Dialect], connection: Connection, work: Work) -> Steps:
    return dialect(connection, work).steps()


def chunk_rate(rounds: Sequence[Round], chunk_bytes: int) -> float:
    """Bytes per second of chunks, of the time in which all clients were sending."""
    windows = [_window([span["chunks"] for span in spans]) for spans in rounds]
    return sum(count for count, _ in windows) * chunk_bytes / sum(elapsed_s for _, elapsed_s in windows)


def _window(spans: Sequence[Span]) -> tuple[int, float]:
    """Successes while all were sending, and for how long that was: one that ends early does not count as waiting."""
    began_s, ended_s = max(span.began_s for span in spans), min(span.ended_s for span in spans)
    count = sum(began_s < done_s <= ended_s for span in spans for done_s in span.done_s)
    if ended_s > began_s and count:
        return count, ended_s - began_s
    return sum(len(span.done_s) for span in spans), _whole_s(spans)


def _files_s(rounds: Sequence[Round]) -> float:
    return sum(_whole_s([span[phase] for span in spans]) for spans in rounds for phase in UNTIL_FINISHED)


def _whole_s(spans: Sequence[Span]) -> float:
    return max(span.ended_s for span in spans) - min(span.began_s for span in spans)
