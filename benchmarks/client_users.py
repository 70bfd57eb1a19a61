"""Locust users of one kind in one process, under gevent as in a run: what they cost, and how late the loop gets.

`python -m benchmarks.client_users KIND URL BYTES USERS SECONDS` prints one JSON object. The kinds: `socket` and
`requests` are upswarm's exchange, recorder and bridge to Locust over that transport, with the content `random`; `http`
and `fast` are Locust's own users with random bytes from one buffer. All are counted by Locust's statistics.
`socket-sparse` sends what the content `sparse` gives: the same zeros again and again.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, HttpUser, User, constant, task
from locust.env import Environment

from benchmarks.table import percentile
from upswarm import plugins
from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.content.sparse import Sparse
from upswarm.results.recorder import Recorder
from upswarm.swarm.uploading.bridge import LocustBridge, Several
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.dialect import Flow
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.transport import Timeouts

TICK_S = 0.005
WARM_UP_S = 0.3
HEADERS = {"Content-Type": "application/octet-stream"}


def http_user(data: bytes, base: type[User]) -> type[User]:
    """One of Locust's own."""

    class Theirs(base):  # type: ignore[misc,valid-type]
        wait_time = constant(0)

        @task
        def put(self) -> None:
            self.client.put("/x", data=data, headers=HEADERS)

    return Theirs


def upload_user(size_bytes: int, kind: str) -> type[User]:
    """One of ours, that sends chunks and nothing else."""
    transport, _, sparse = kind.partition("-")
    file = Sparse(Path(tempfile.gettempdir())) if sparse else Random(Path())
    chunks = cycle(_chunks(file.open("x", 256 * size_bytes, seed=1), size_bytes))

    class Ours(User):
        wait_time = constant(0)

        def on_start(self) -> None:
            clock = SystemClock()
            carrier = plugins.find("transport", transport)(self.host, Timeouts())
            bridge = LocustBridge(self.environment, "chunked", self.host or "", clock)
            observer = Several(Recorder(clock.now()), bridge)
            self.exchange = Exchange(carrier, observer, clock=clock, dice=random.Random(), retry=RetryPolicy())

        @task
        def put(self) -> None:
            self.exchange.drive(_put(next(chunks)))

    return Ours


def _chunks(file: File, size_bytes: int) -> Iterator[Body]:
    for index in range(file.size_bytes // size_bytes):
        yield Body.of_chunk(file, Chunk(index, index * size_bytes, size_bytes))


def _put(body: Body) -> Flow[None]:
    yield Request(Phase.CHUNK, "PUT", "/x", HEADERS, body)


class Loop:
    """Asks to be woken every few milliseconds, and notes how late that is done."""

    def __init__(self) -> None:
        self.lags_s: list[float] = []
        self._watching = gevent.spawn(self._watch)

    def _watch(self) -> None:
        while True:
            asked_s = time.perf_counter()
            gevent.sleep(TICK_S)
            self.lags_s.append(time.perf_counter() - asked_s - TICK_S)


def measure(user: type[User], url: str, users: int, seconds: float) -> dict[str, Any]:
    """Run the users, and look at everything twice."""
    environment = Environment(user_classes=[user], host=url)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users, wait=True)
    gevent.sleep(WARM_UP_S)
    loop, total = Loop(), environment.stats.total
    before = (total.num_requests, _cpu_s(), time.perf_counter())
    gevent.sleep(seconds)
    after = (total.num_requests, _cpu_s(), time.perf_counter())
    requests, cpu_s, elapsed_s = (later - earlier for earlier, later in zip(before, after, strict=True))
    lags = {f"lag_p{percent}_ms": percentile(loop.lags_s, percent) * 1000 for percent in (50, 99)}
    return {"requests": requests, "cpu_s": cpu_s, "seconds": elapsed_s, "failures": total.num_failures, **lags}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(argv: Sequence[str]) -> None:
    """See above."""
    kind, url, size, users, seconds = argv
    locusts: dict[str, type[User]] = {"http": HttpUser, "fast": FastHttpUser}
    user = http_user(os.urandom(int(size)), locusts[kind]) if kind in locusts else upload_user(int(size), kind)
    print(json.dumps(measure(user, url, int(users), float(seconds))), flush=True)
    os._exit(0)  # nothing of what is under way is of interest any more


if __name__ == "__main__":
    main(sys.argv[1:])
