"""Where a report's CPU time goes on the master: its own code, on reports that stubs would send, without a network.

`python -m benchmarks.report_parts 50 500`: for workers with so many requests per second.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from locust.env import Environment
from locust.rpc import Message
from locust.stats import setup_distributed_stats_event_listeners

from benchmarks import stub_reports
from benchmarks.table import table
from upswarm.results.measurements import Measurements
from upswarm.swarm.uploading.receipts import LEDGER
from upswarm.swarm.workers.gathering import Reporting
from upswarm.swarm.workers.wire import REPORT

HEADINGS = (
    "a report of a worker with",
    "bytes",
    "unpack µs",
    "read ours",
    "add ours",
    "Locust's own",
    "together",
)
_INTERVALS = 10


def parts(requests_per_s: float, rounds: int = 30) -> list[float]:
    """Bytes of a report, and seconds of CPU time of each part, the least of all rounds."""
    dice = random.Random(1)
    messages = [_message(requests_per_s, interval, dice) for interval in range(_INTERVALS)]
    sizes = sum(map(len, messages)) / len(messages)
    times_s = [min(times) for times in zip(*(_round(messages) for _ in range(rounds)), strict=True)]
    return [sizes, *times_s]


def report(rates: Sequence[float], rounds: int = 30) -> str:
    """The table."""
    return table(HEADINGS, [_cells(rate, parts(rate, rounds)) for rate in rates])


def _cells(rate: float, found: Sequence[float]) -> list[str]:
    size, *times_s = found
    return [f"{rate:g} requests/s", f"{size:,.0f}", *(f"{each * 1e6:,.0f}" for each in (*times_s, sum(times_s)))]


def _message(requests_per_s: float, interval: int, dice: random.Random) -> bytes:
    ours, report = stub_reports.canned(requests_per_s, interval, dice)
    data = stub_reports.now(report) | {"user_classes_count": {"UploadUser": 10}, "user_count": 10}
    data[REPORT] = {**Reporting("run", "host").report(ours), LEDGER: ours.ledger}
    return bytes(Message("stats", data, "worker").serialize())


def _round(messages: Sequence[bytes]) -> Iterator[float]:
    """CPU seconds per report: unpacking, reading ours, adding ours, adding Locust's."""
    environment = Environment()
    setup_distributed_stats_event_listeners(environment.events, environment.stats)
    reports, took_s = _timed(lambda: [Message.unserialize(each).data for each in messages])
    yield took_s / len(messages)
    read, took_s = _timed(lambda: [Measurements.from_document(each[REPORT]["measurements"]) for each in reports])
    yield took_s / len(messages)
    total = _sum(read, Measurements())  # what is added to has most of the times already, as after a while in a run
    _, took_s = _timed(lambda: _sum(read, total))
    yield took_s / len(messages)
    tell = environment.events.worker_report.fire
    _, took_s = _timed(lambda: [tell(client_id="worker", data=each) for each in reports])
    yield took_s / len(messages)


def _sum(read: Sequence[Measurements], total: Measurements) -> Measurements:
    for each in read:
        total.add(each)
    return total


def _timed(do: Callable[[], Any]) -> tuple[Any, float]:
    began_s = time.process_time()
    done = do()
    return done, time.process_time() - began_s


if __name__ == "__main__":
    print(report([float(rate) for rate in sys.argv[1:]]))
