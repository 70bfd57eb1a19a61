"""What does a slow client cost?

So many connections send half of a chunk and then trickle on. Meanwhile the worker's memory is read, and an honest
client uploads a file; then all the slow ones finish, and the memory is read again. One worker, started anew for a row.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from benchmarks import options, servers
from benchmarks.client import PATIENCE_S, Connection, UnsuccessfulError
from benchmarks.crowd import clock
from benchmarks.dialects import Upswarm, Work
from benchmarks.leash import end_with_parent
from benchmarks.servers import Target
from benchmarks.table import table
from upswarm.units import format_size

_FORK = multiprocessing.get_context("fork")
_STEP_BYTES = 64
_PAUSE_S = 1.0
_SETTLE_S = 1.0
_MIB = 1 << 20


class Found(NamedTuple):
    """One row: memory of the worker (resident set) before, during and after; how long an honest upload took."""

    connections: int
    before_bytes: int
    during_bytes: int
    after_bytes: int
    honest_before_s: float
    honest_during_s: float
    answered: int


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return its rows."""
    rows = []
    for connections in asked.connections:
        room = {"worker_connections": connections + 100, "max_open_uploads": connections + 100}
        with servers.upswarm(asked.dir, 1, reserve="sparse", **room) as target:
            rows.append(measure(asked, target, connections))
            print(rows[-1], file=sys.stderr)
    print(report(asked, rows))
    return {"slow_clients": [row._asdict() for row in rows]}


def measure(asked: argparse.Namespace, target: Target, connections: int) -> Found:
    """Before, during and after."""
    work = Work(memoryview(os.urandom(5 * _MIB)), max(1, asked.file // (5 * _MIB)))
    honest_s(target, work)  # what a worker needs once is there before the first reading
    before_bytes, honest_before_s = resident_bytes(target), honest_s(target, work)
    with _slow_crowd(target.port, connections, asked.chunk) as slow:
        slow.begun()
        time.sleep(_SETTLE_S)
        during_bytes, honest_during_s = resident_bytes(target), honest_s(target, work)
        answered = slow.finish()
    time.sleep(_SETTLE_S)
    after_bytes = resident_bytes(target)
    return Found(connections, before_bytes, during_bytes, after_bytes, honest_before_s, honest_during_s, answered)


def resident_bytes(target: Target) -> int:
    """The resident set of the one worker; memory that the kernel has for sockets is not in it."""
    return int(max(process.memory_info().rss for process in target.process.children()))


def honest_s(target: Target, work: Work) -> float:
    """How long a whole upload takes, from init to finalize: the median of three."""
    return statistics.median(_upload_s(target, work) for _ in range(3))


def _upload_s(target: Target, work: Work) -> float:
    connection = Connection(target.port)
    upload = Upswarm(connection, work)
    began_s = clock()
    upload.begin()
    for index in range(work.chunk_count):
        upload.send(upload.head(index))
    upload.finish()
    ended_s = clock()
    upload.remove()
    connection.close()
    return ended_s - began_s


class _SlowCrowd:
    """The slow clients, in a process of their own."""

    def __init__(self, port: int, connections: int, chunk_bytes: int) -> None:
        self._pipe, theirs = _FORK.Pipe()
        self.process = _FORK.Process(target=_be_slow, args=(theirs, port, connections, chunk_bytes), daemon=True)
        self.process.start()
        theirs.close()

    def begun(self) -> None:
        """Return when all have sent their half."""
        self._hear()

    def finish(self) -> int:
        """Let all send the rest; how many were answered with success."""
        self._pipe.send("finish")
        return int(self._hear())

    def _hear(self) -> Any:
        if not self._pipe.poll(PATIENCE_S):
            raise UnsuccessfulError(f"the slow clients were not done after {PATIENCE_S} s")
        try:
            return self._pipe.recv()
        except EOFError:
            raise UnsuccessfulError("the slow clients failed") from None


@contextmanager
def _slow_crowd(port: int, connections: int, chunk_bytes: int) -> Iterator[_SlowCrowd]:
    crowd = _SlowCrowd(port, connections, chunk_bytes)
    try:
        yield crowd
    finally:
        crowd.process.kill()
        crowd.process.join()


def _be_slow(pipe: Any, port: int, connections: int, chunk_bytes: int) -> None:
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the harness's own handler was inherited
    chunk = memoryview(os.urandom(chunk_bytes))
    opened = [_half_sent(port, chunk) for _ in range(connections)]
    pipe.send(len(opened))
    sent_bytes = chunk_bytes // 2
    while not pipe.poll(_PAUSE_S):
        until_bytes = min(sent_bytes + _STEP_BYTES, chunk_bytes - 1)
        for connection in opened:
            connection.send_only(chunk[sent_bytes:until_bytes])
        sent_bytes = until_bytes
    for connection in opened:
        connection.send_only(chunk[sent_bytes:])
    pipe.send(sum(connection.receive().status == 204 for connection in opened))


def _half_sent(port: int, chunk: memoryview) -> Connection:
    connection = Connection(port)
    upload = Upswarm(connection, Work(chunk, 1))
    upload.begin()
    connection.send_only(upload.head(0), chunk[: len(chunk) // 2])
    return connection


def report(asked: argparse.Namespace, rows: Sequence[Found]) -> str:
    """The table."""
    headings = ("connections", "MiB before", "during", "after", "KiB each", "honest s before", "during ", "answered")
    cells = [
        [
            str(row.connections),
            *(f"{found / _MIB:.1f}" for found in (row.before_bytes, row.during_bytes, row.after_bytes)),
            f"{(row.during_bytes - row.before_bytes) / 1024 / row.connections:.1f}" if row.connections else "–",
            f"{row.honest_before_s:.3f}",
            f"{row.honest_during_s:.3f}",
            str(row.answered),
        ]
        for row in rows
    ]
    what = f"chunks of {format_size(asked.chunk)}, half sent · an honest file of {format_size(asked.file)}"
    return f"{what}\n\n{table(headings, cells)}"


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.add_argument("--connections", type=options.numbers, default=[0, 100, 500, 1000], help="slow ones: 0,100")
    made.add_argument("--chunk", type=options.size, default=_MIB, help="size of a slow client's chunk")
    made.add_argument("--file", type=options.size, default=100 * _MIB, help="size of the honest client's file")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
