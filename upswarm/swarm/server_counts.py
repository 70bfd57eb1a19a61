"""What the server itself counted during a run, where it offers Prometheus' text: asked before the load and after it.

It is asked only where that is welcome: the embedded server, or where the scenario says `target.metrics`. Whatever goes
wrong is no trouble: then there are no counts. Nor are there any where the server was started anew in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import gevent
from prometheus_client.parser import text_string_to_metric_families

from upswarm.scenario.model import Scenario
from upswarm.transfer.auth import unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.messages import Phase, Request

PATIENCE_S = 2.0
MOST = 200
"""Series that are kept, of those that changed."""
_MOST_BYTES = 4 << 20
_DEFAULT = "/metrics"
_STOCKS = {"upswarm_files", "upswarm_stored_bytes"}
"""Of our own server these are counted too, though they may go down."""
_STARTED = "start_time_seconds"

Series = dict[str, float]


class ServerCounts:
    """Of one run against a target."""

    def __init__(self, scenario: Scenario, target_url: str, *, embedded: bool) -> None:
        self._scenario = scenario
        self._target_url = target_url
        wished = scenario.target.metrics or (_DEFAULT if embedded else "")
        self._url = wished if "://" in wished or not wished else _origin(target_url) + wished
        self._before: Series = {}

    def begin(self) -> None:
        """Ask before the load starts."""
        self._before = self._ask()

    def end(self) -> Series:
        """Ask after it has ended: what has been counted in between, without what did not change."""
        after = self._ask() if self._before else {}
        return difference(self._before, after)

    def _ask(self) -> Series:
        if not self._url:
            return {}
        with gevent.Timeout(PATIENCE_S, False):
            try:
                return parsed(self._text())
            except (Interrupted, OSError, ValueError):
                return {}
        return {}

    def _text(self) -> str:
        """Credentials go to the target alone. Raises `ValueError` where the answer is not what was asked for."""
        auth = self._scenario.target.auth if _origin(self._url) == _origin(self._target_url) else None
        sign = auth.build(self._target_url, SystemClock()) if auth is not None else unsigned
        transport = self._scenario.transfer.open_transport(_origin(self._url))
        try:
            answer = transport.send(sign(Request(Phase.PROBE, "GET", self._url.removeprefix(_origin(self._url)))))
        finally:
            transport.close()
        if answer.status != 200 or len(answer.body) > _MOST_BYTES:
            raise ValueError(f"expected metrics, found status {answer.status} and {len(answer.body)} bytes")
        return answer.body.decode()


def parsed(text: str) -> Series:
    """The counters in Prometheus' text, by name and labels as it has them; raises `ValueError` where it is none."""
    return dict(_counters(text))


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> Series:
    """What was counted in between; nothing where the server was started anew, for then nobody knows."""
    if not after or any(_anew(name, value, after) for name, value in before.items()):
        return {}
    changes = {name: value - before.get(name, 0.0) for name, value in sorted(after.items())}
    changed = [(name, change) for name, change in changes.items() if change and not _is_start(name)]
    return dict(changed[:MOST])


def _anew(name: str, value: float, after: Mapping[str, float]) -> bool:
    if _is_start(name):
        return after.get(name) != value
    return name not in _STOCKS and after.get(name, 0.0) < value


def _is_start(name: str) -> bool:
    return name.partition("{")[0].endswith(_STARTED)


def _counters(text: str) -> Iterator[tuple[str, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            counted = family.type == "counter" and not sample.name.endswith("_created")
            if counted or sample.name in _STOCKS or _is_start(sample.name):
                labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(sample.labels.items()))
                yield f"{sample.name}{{{labels}}}" if labels else sample.name, float(sample.value)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
