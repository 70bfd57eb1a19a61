"""`/metrics` of the process that decides about runs, for Prometheus (`--metrics-port`)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from gevent.pywsgi import WSGIServer
from prometheus_client import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from upswarm.errors import UsageError
from upswarm.reports.live.live import Live
from upswarm.results.histogram import Histogram
from upswarm.swarm.telemetry.figures import TABLE, Row, Sample, cumulative, samples

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PATH = "/metrics"


def exposition(live: Live) -> bytes:
    """A run in Prometheus' text format."""
    return generate_latest(_Found(live))


class Endpoint:
    """Listens from the start of the process on; raises `UsageError` where it can't."""

    def __init__(self, bind: str, port: int, look: Callable[[], Live]) -> None:
        self._look = look
        self._server = WSGIServer((bind, port), self._answer, log=None, error_log=None)
        try:
            self._server.start()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "--metrics-bind takes an address of this machine, --metrics-port 0 to 65535"
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                reason = "the port is taken"
                hint = "end what listens there, or give another --metrics-port; 0 takes any free one"
            raise UsageError(f"metrics can't be offered at {bind}:{port}: {reason}", hint=hint) from error
        address = f"[{bind}]" if ":" in bind else bind
        self.url = f"http://{address}:{self._server.server_port}{PATH}"

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"only {PATH} is here\n".encode()]
        start_response("200 OK", [("Content-Type", CONTENT_TYPE)])
        return [exposition(self._look())]


class _Found(Collector):
    """The rows of the table, in the form that the exposition wants."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """Every row that has values."""
        by_name = sorted(samples(self._live), key=lambda sample: sample.name)
        grouped = {name: list(found) for name, found in groupby(by_name, lambda sample: sample.name)}
        for row in TABLE:
            if row.name in grouped:
                yield _family(row, grouped[row.name])


def _family(row: Row, found: Iterable[Sample]) -> Metric:
    if row.kind == "histogram":
        return _histogram(row, found)
    kind = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
    family = kind(row.name, row.help, labels=row.labels)
    for each in found:
        family.add_metric(each.labels, float(each.value))  # type: ignore[arg-type]
    return family


def _histogram(row: Row, found: Iterable[Sample]) -> Metric:
    family = HistogramMetricFamily(row.name, row.help, labels=row.labels)
    for each in found:
        times = each.value
        assert isinstance(times, Histogram)
        buckets = [(f"{end_s:g}", float(count)) for end_s, count in cumulative(times)]
        total_s = (times.mean_s or 0.0) * times.count
        family.add_metric(each.labels, [*buckets, ("+Inf", float(times.count))], total_s)
    return family
