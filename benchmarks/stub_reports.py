"""What a worker that is busy would report: real measurements of uploads that nobody made.

Each upload is an init, four chunks and a finalize. The times are lognormal, so that histograms have as many different
times in them as those of real runs.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from typing import Any

from locust import stats
from locust.env import Environment
from locust.runners import WORKER_REPORT_INTERVAL
from locust.stats import setup_distributed_stats_event_listeners

from upswarm.results.measurements import Document, Measurements
from upswarm.results.recorder import Recorder
from upswarm.swarm.precision import bucket_ms
from upswarm.swarm.uploading.bridge import LocustBridge, Several
from upswarm.swarm.uploading.receipts import Receipts
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.messages import Phase, Timings
from upswarm.transfer.records import Attempt, End, Observer, Outcome, Receipt

INTERVAL_S = WORKER_REPORT_INTERVAL
_CHUNKS = 4
_CHUNK_BYTES = 5 << 20
_PER_UPLOAD = _CHUNKS + 2
_MEDIAN_S = {Phase.INIT: 0.004, Phase.CHUNK: 0.08, Phase.FINALIZE: 0.01}
_SPREAD = 0.5
_LOOKS = 60


class Canned(Measurements):
    """Measurements that have been written down already: a stub has no time to do so again and again.

    The `ledger` has the receipts that are reported with them.
    """

    def __init__(self, document: Document, ledger: list[list[Any]]) -> None:
        super().__init__()
        self._document = document
        self.ledger = ledger

    def to_document(self, *, brief: bool = False) -> Document:
        """As it was."""
        return self._document


def canned(requests_per_s: float, interval: int, dice: random.Random) -> tuple[Canned, dict[str, Any]]:
    """What a worker measured in the interval with this number, as ours and as Locust's report."""
    stats.bucket_response_time = bucket_ms  # as `session.connect` does
    environment = Environment()
    environment.events.request.add_listener(lambda **each: _log(environment, **each))
    setup_distributed_stats_event_listeners(environment.events, environment.stats)
    recorder = Recorder(0.0)
    receipts = Receipts(None, "host_0123456789abcdef0123456789abcdef", 0.0)
    told = Several(recorder, LocustBridge(environment, "chunked", "http://target", SystemClock()), receipts)
    for ended_s in _moments(requests_per_s, interval):
        _upload(told, ended_s, dice)
    _look(recorder, interval, dice)
    report: dict[str, Any] = {}
    environment.events.report_to_master.fire(client_id="", data=report)
    return Canned(recorder.take().measurements.to_document(brief=True), receipts.take()), report


def now(report: dict[str, Any]) -> dict[str, Any]:
    """Locust's report with the requests of its seconds moved to the last three, which is where Locust looks."""
    second = int(time.time())
    return report | {
        "stats": [_moved(each, second) for each in report["stats"]],
        "stats_total": _moved(report["stats_total"], second),
    }


def _moved(entry: dict[str, Any], second: int) -> dict[str, Any]:
    count = sum(entry["num_reqs_per_sec"].values())
    spread = {second - ago: count // int(INTERVAL_S) for ago in range(int(INTERVAL_S))}
    return entry | {"num_reqs_per_sec": spread, "last_request_timestamp": second, "start_time": second - INTERVAL_S}


def _moments(requests_per_s: float, interval: int) -> Iterator[float]:
    uploads = max(1, round(requests_per_s * INTERVAL_S / _PER_UPLOAD))
    for number in range(uploads):
        yield (interval + (number + 1) / (uploads + 1)) * INTERVAL_S


def _upload(observer: Observer, ended_s: float, dice: random.Random) -> None:
    began_s = ended_s
    for phase in (Phase.FINALIZE, *[Phase.CHUNK] * _CHUNKS, Phase.INIT):
        took_s = dice.lognormvariate(math.log(_MEDIAN_S[phase]), _SPREAD)
        sent = _CHUNK_BYTES if phase is Phase.CHUNK else 0
        timings = Timings(reused=True, connect_s=0.0, send_s=took_s / 2, first_byte_s=took_s)
        observer.attempted(Attempt(phase, 1, began_s - took_s, began_s - took_s, began_s, sent, 204, timings=timings))
        began_s -= took_s
    number, size_bytes = dice.randrange(1_000_000), _CHUNKS * _CHUNK_BYTES
    receipt = Receipt(f"{dice.getrandbits(128):032x}", size_bytes)
    name = f"20260101T000000Z-scaling-{number:06d}"
    observer.ended(Outcome(End.FINISHED, name, size_bytes, began_s, ended_s, receipt=receipt, number=number))


def _look(recorder: Recorder, interval: int, dice: random.Random) -> None:
    for look in range(_LOOKS):
        recorder.woke(dice.lognormvariate(math.log(0.0005), 1), interval * INTERVAL_S + look * INTERVAL_S / _LOOKS)
    for second in range(int(INTERVAL_S)):
        from_s = interval * INTERVAL_S + second
        recorder.saw(10, from_s)
        recorder.spent(dice.uniform(0.2, 0.4), 0.0, from_s=from_s, to_s=from_s + 1)


def _log(environment: Environment, **each: Any) -> None:
    environment.stats.log_request(each["request_type"], each["name"], each["response_time"], each["response_length"])
