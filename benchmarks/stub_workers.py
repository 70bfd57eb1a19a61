"""Many stub workers in one process: to a master they are real ones, only that they upload nothing.

`python -m benchmarks.stub_workers PORT COUNT REQUESTS_PER_S SETTLE_S SECONDS` speaks Locust's protocol and ours, and
reports what `stub_reports` made up. `go` is printed when the first of them is told to begin. When the run has ended,
one JSON line tells how many messages and bytes of each kind went to and fro, in all and in the SECONDS after SETTLE_S,
and how long heartbeats took meanwhile.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from platform import node
from typing import Any
from uuid import uuid4

import gevent
import msgpack
import zmq.green as zmq
from gevent.pool import Group
from locust import __version__ as locust_version
from locust.rpc import Message
from locust.runners import HEARTBEAT_INTERVAL

from benchmarks import stub_reports
from benchmarks.stub_reports import INTERVAL_S, Canned
from benchmarks.table import percentile
from upswarm.swarm.uploading.receipts import LEDGER
from upswarm.swarm.workers.gathering import Reporting
from upswarm.swarm.workers.introduction import Introduction
from upswarm.swarm.workers.seal import Seal
from upswarm.swarm.workers.wire import DRAIN, GO, LAST_REPORT, PLAN, REPORT, Document, Wire
from upswarm.transfer.clock import SystemClock
from upswarm.workload.shares import Share

_VARIANTS = 4
_WEIGHED = 100
_ALIKE_S = 0.01
_MOST_SOCKETS = 8192
Pair = tuple[Canned, dict[str, Any]]


class Tally:
    """What all stubs of this process have sent and received, without ZMQ's and TCP's own bytes.

    The window is so many seconds, so long after the run has begun.
    """

    def __init__(self, settle_s: float, window_s: float) -> None:
        self._settle_s = settle_s
        self._window_s = window_s
        self.messages: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.window: Counter[str] = Counter()
        self.unanswered = 0
        self.heartbeats_s: list[float] = []
        self.ours: list[int] = []
        self._begun = False
        self.drain_at = 0.0
        self.last_report_at = 0.0

    def begin(self) -> None:
        """The first that is told to begin says so."""
        if not self._begun:
            self._begun = True
            print("go", flush=True)
            gevent.spawn(self._look)

    def _look(self) -> None:
        gevent.sleep(self._settle_s)
        self.heartbeats_s.clear()
        before, asked = self.bytes.copy(), self.messages["in heartbeat"] - self.messages["out heartbeat"]
        gevent.sleep(self._window_s)
        self.window = self.bytes - before
        self.unanswered = self.messages["in heartbeat"] - self.messages["out heartbeat"] - asked

    def count(self, way: str, kind: str, size_bytes: int) -> None:
        """`way` is `in` or `out`, as the master sees it."""
        self.messages[f"{way} {kind}"] += 1
        self.bytes[f"{way} {kind}"] += size_bytes


class Stub:
    """One of them. It is what `Wire` and `Introduction` need of Locust's worker."""

    def __init__(
        self,
        context: zmq.Context,
        port: int,
        tally: Tally,
        reports: Sequence[Sequence[Pair]],
    ) -> None:
        self.client_id = f"{node()}_{uuid4().hex}"
        self.greenlet = Group()
        self.last_heartbeat_timestamp: float | None = None
        self._tally = tally
        self._reports = reports
        self._handlers: dict[str, Callable[..., object]] = {}
        self._state = "ready"
        self._users: dict[str, int] = {}
        self._reporting: Reporting | None = None
        self._share = Share(0)
        self._over = False
        self._reported = 0
        self._began_s = self._asked_s = time.monotonic()
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, self.client_id.encode())
        self._socket.connect(f"tcp://127.0.0.1:{port}")
        self._wire = Wire(self, Seal())  # type: ignore[arg-type]
        self._wire.on(PLAN, self._plan_came)
        self._wire.on(GO, lambda *_: tally.begin())
        self._wire.on(DRAIN, self._drain)
        self._own: dict[str, Callable[[Any], object]] = {
            "ack": lambda _: self._welcome(),
            "spawn": self._spawn,
            "heartbeat": lambda _: self._heartbeat_came(),
        }
        self.greenlet.spawn(self.send_message, "client_ready", locust_version)

    def register_message(self, kind: str, handle: Callable[..., object], concurrent: bool = False) -> None:
        """As Locust's."""
        self._handlers[kind] = handle

    def send_message(self, kind: str, data: Any = None, client_id: str | None = None) -> None:
        """As Locust's, and counted."""
        sent = Message(kind, data, self.client_id).serialize()
        self._tally.count("in", kind, len(sent))
        self._socket.send(sent, zmq.NOBLOCK)

    def listen(self) -> None:
        """Until the master says that it is over."""
        while True:
            received = self._socket.recv()
            message = Message.unserialize(received)
            self._tally.count("out", message.type, len(received))
            if message.type == "quit":
                break
            if handle := self._own.get(message.type):
                handle(message.data)
            elif heard := self._handlers.get(message.type):
                heard(msg=Message(message.type, message.data, self.client_id))
        self._report()
        self.send_message("quit")
        self.greenlet.kill()  # before the socket is closed, on which they speak
        self._socket.close(linger=2000)

    def _welcome(self) -> None:
        del self._own["ack"]  # one more comes when it has been accepted
        Introduction(self._wire, self, SystemClock())  # type: ignore[arg-type]
        self.greenlet.spawn(self._every, HEARTBEAT_INTERVAL, self._beat)
        self.greenlet.spawn(self._every, INTERVAL_S, self._report)

    def _every(self, seconds: float, do: Callable[[], None]) -> None:
        while True:
            do()
            gevent.sleep(seconds)

    def _beat(self) -> None:
        self._asked_s = time.monotonic()
        self.send_message(
            "heartbeat", {"state": self._state, "current_cpu_usage": 31.4, "current_memory_usage": 90 << 20}
        )

    def _heartbeat_came(self) -> None:
        self.last_heartbeat_timestamp = time.time()
        self._tally.heartbeats_s.append(time.monotonic() - self._asked_s)

    def _spawn(self, job: dict[str, Any]) -> None:
        self.send_message("spawning")
        self._state, self._users = "running", job["user_classes_count"]
        self.send_message("spawning_complete", {"user_classes_count": self._users, "user_count": self._count})

    @property
    def _count(self) -> int:
        return sum(self._users.values())

    def _report(self) -> None:
        pair = self._next()
        data = stub_reports.now(pair[1]) if self._reporting else pair[1] | {"stats": [], "errors": {}}
        data |= {"user_classes_count": self._users, "user_count": self._count}
        if self._reporting and not self._over:
            data[REPORT] = self._wire.sealed(REPORT, self.client_id, self._our_report(pair))
            if len(self._tally.ours) < _WEIGHED:
                self._tally.ours.append(len(msgpack.packb(data[REPORT])))
        self.send_message("stats", data)

    def _our_report(self, pair: Pair, *, last: bool = False) -> dict[str, Any]:
        assert self._reporting is not None
        report = self._reporting.report(pair[0], last=last, in_flight=self._count, following=self._share.following)
        return {**report, LEDGER: pair[0].ledger}

    def _next(self) -> Pair:
        self._reported += 1
        interval = int((time.monotonic() - self._began_s) / INTERVAL_S)
        variants = self._reports[min(interval, len(self._reports) - 1)]
        return variants[self._reported % len(variants)]

    def _plan_came(self, _: str, document: Document) -> None:
        self._reporting, self._began_s = Reporting(document["run_id"], node()), time.monotonic()
        self._share = Share.of(*document["share"], document["slots"])

    def _drain(self, *_: object) -> None:
        self._tally.drain_at = self._tally.drain_at or time.time()
        report, self._over = self._our_report(self._next(), last=True), True
        self._wire.send(LAST_REPORT, report, self.client_id)
        self._tally.last_report_at = time.time()


def main(argv: Sequence[str]) -> None:
    """See above."""
    port, count = int(argv[0]), int(argv[1])
    requests_per_s, settle_s, seconds = map(float, argv[2:])
    tally, dice = Tally(settle_s, seconds), random.Random(1)
    reports = [
        [stub_reports.canned(requests_per_s, interval, dice) for _ in range(_VARIANTS)]
        for interval in range(int((settle_s + seconds) / INTERVAL_S) + 2)
    ]
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, _MOST_SOCKETS)
    listening = []
    for _ in range(count):
        listening.append(gevent.spawn(Stub(context, port, tally, reports).listen))
        gevent.sleep(max(_ALIKE_S, INTERVAL_S / count))  # so that reports come evenly, as those of real workers do
    cpu_s, began_s = time.process_time(), time.monotonic()
    gevent.joinall(listening)
    print(json.dumps(_found(tally) | {"cpu_ratio": (time.process_time() - cpu_s) / (time.monotonic() - began_s)}))


def _found(tally: Tally) -> dict[str, Any]:
    times = tally.heartbeats_s or [0.0]
    return {
        "messages": tally.messages,
        "bytes": tally.bytes,
        "report_bytes": sum(tally.ours) / max(1, len(tally.ours)),
        "heartbeat_p50_s": percentile(times, 50),
        "heartbeat_p99_s": percentile(times, 99),
        "unanswered": tally.unanswered,
        "window": tally.window,
        "drain_at": tally.drain_at,
        "last_report_at": tally.last_report_at,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
