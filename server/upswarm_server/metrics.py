"""The only door to prometheus_client: counts in files that all workers of a server share, and outlive each of them.

A figure is a row of the table; the table in `docs/server.md` has the same rows.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from upswarm import __version__
from upswarm_server.catalogs.base import Commits
from upswarm_server.meter import SILENT, Meter
from upswarm_server.offload import Offload
from upswarm_server.shared import METRICS_VARIABLE

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "upswarm_"


class Row(NamedTuple):
    """One metric, as a scrape and the documentation name it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


# ruff: noqa: E501 - a table is read by its columns
# fmt: off
TABLE = (
    Row("upswarm_requests_total", "counter", ("route", "method", "status"), "Requests that were answered."),
    Row("upswarm_request_duration_seconds", "histogram", ("route",), "From a request's head to its answer's head; the sending of a file's content is not in it."),
    Row("upswarm_received_bytes_total", "counter", ("route",), "Bytes of request bodies that really came."),
    Row("upswarm_commits_total", "counter", (), "Transactions of the catalog."),
    Row("upswarm_committed_records_total", "counter", (), "Changes that these transactions wrote; divided by the transactions it is the size of a batch."),
    Row("upswarm_waiting_records", "gauge", (), "Changes that wait for a transaction now."),
    Row("upswarm_commit_duration_seconds", "histogram", (), "How long a transaction took."),
    Row("upswarm_sync_duration_seconds", "histogram", (), "How long the disk took to have a file's bytes."),
    Row("upswarm_faults_total", "counter", ("phase", "kind"), "Faults that were injected on purpose."),
    Row("upswarm_expired_uploads_total", "counter", (), "Uploads that were given up because their time was over."),
    Row("upswarm_expired_bytes_total", "counter", (), "Bytes that these uploads had reserved."),
    Row("upswarm_open_uploads", "gauge", (), "Uploads that are open now."),
    Row("upswarm_files", "gauge", (), "Files that are stored now."),
    Row("upswarm_stored_bytes", "gauge", (), "The sizes of these files together."),
    Row("upswarm_free_bytes", "gauge", (), "Space for more."),
    Row("upswarm_draining", "gauge", (), "1 while the server is about to stop, else 0."),
    Row("upswarm_start_time_seconds", "gauge", (), "When the server started, in seconds since the epoch."),
    Row("upswarm_server_info", "gauge", ("version", "server_id"), "Always 1; its labels say who answers."),
)
# fmt: on
_HELP = {row.name: row.help for row in TABLE}

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COUNTED = ("upswarm_commits_total", "upswarm_committed_records_total", "upswarm_waiting_records")


class Prometheus:
    """The meter of one worker; `text` and `commits` tell of all workers."""

    def __init__(self, directory: Path, offload: Offload, server_id: str) -> None:
        self._directory = directory
        self._offload = offload
        self._server_id = server_id
        self._own = CollectorRegistry()  # never shown: a scrape reads the files of all workers
        self._requests = self._counter("upswarm_requests_total")
        self._durations = self._histogram("upswarm_request_duration_seconds")
        self._received_bytes = self._counter("upswarm_received_bytes_total")
        self._commits = self._counter("upswarm_commits_total")
        self._records = self._counter("upswarm_committed_records_total")
        self._waiting = self._gauge("upswarm_waiting_records")
        self._commit_durations = self._histogram("upswarm_commit_duration_seconds")
        self._sync_durations = self._histogram("upswarm_sync_duration_seconds")
        # Finding a labelled series costs more than counting in it, and there are few.
        self._answered = cache(self._answered_anew)
        self._of_route = cache(self._of_route_anew)
        self._faults = self._counter("upswarm_faults_total")
        self._expired_uploads = self._counter("upswarm_expired_uploads_total")
        self._expired_bytes = self._counter("upswarm_expired_bytes_total")

    def request(self, route: str, method: str, status: int, received_bytes: int, seconds: float) -> None:
        """Count it and time it."""
        self._answered(route, method, status).inc()
        duration, received = self._of_route(route)
        duration.observe(seconds)
        received.inc(received_bytes)

    def _answered_anew(self, route: str, method: str, status: int) -> Counter:
        return self._requests.labels(route, method, status)

    def _of_route_anew(self, route: str) -> tuple[Histogram, Counter]:
        return self._durations.labels(route), self._received_bytes.labels(route)

    def fault(self, phase: str, kind: str) -> None:
        """Count it."""
        self._faults.labels(phase, kind).inc()

    def commit(self, records: int, seconds: float) -> None:
        """Count it and time it."""
        self._commits.inc()
        self._records.inc(records)
        self._commit_durations.observe(seconds)

    def waiting(self, records: int) -> None:
        """Of this worker; a scrape adds up those that are alive."""
        self._waiting.set(records)

    def sync(self, seconds: float) -> None:
        """Time it."""
        self._sync_durations.observe(seconds)

    def expired(self, uploads: int, freed_bytes: int) -> None:
        """Count them."""
        self._expired_uploads.inc(uploads)
        self._expired_bytes.inc(freed_bytes)

    def commits(self) -> Commits:
        """From the files of all workers."""
        found = dict.fromkeys(_COUNTED, 0.0)
        for metric in self._offload(self._shared):
            found |= {sample.name: sample.value for sample in metric.samples if sample.name in found}
        return Commits(*(int(found[name]) for name in _COUNTED))

    def text(self, now: Mapping[str, float]) -> bytes:
        """What a scrape gets: the files of all workers, and `now`, which holds at this moment."""
        info = {"version": __version__, "server_id": self._server_id}
        families = [_at_present(name, value) for name, value in now.items()]
        families.append(_at_present("upswarm_server_info", 1, info))
        return self._offload(lambda: generate_latest(_Found([*self._shared(), *families])))

    def _shared(self) -> Iterable[Metric]:
        collector = MultiProcessCollector(None, str(self._directory))  # type: ignore[no-untyped-call]
        return cast(Iterable[Metric], collector.collect())  # type: ignore[no-untyped-call]

    def _counter(self, name: str) -> Counter:
        return Counter(name, _HELP[name], _labels(name), registry=self._own)

    def _histogram(self, name: str) -> Histogram:
        return Histogram(name, _HELP[name], _labels(name), registry=self._own, buckets=_BUCKETS_S)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, _HELP[name], _labels(name), registry=self._own, multiprocess_mode="livesum")


def meter_of_worker(offload: Offload, server_id: str) -> Meter:
    """The meter that shares its figures with the server's other workers; a silent one, and a warning, without them."""
    directory = os.environ.get(METRICS_VARIABLE)
    if directory:
        return Prometheus(Path(directory), offload, server_id)
    logging.getLogger("upswarm_server").warning(
        "there are no metrics: workers share them by way of server/gunicorn.conf.py, which this gunicorn was not given"
    )
    return SILENT


def forget_worker(pid: int) -> None:
    """A worker is gone, and what waited in it; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _labels(name: str) -> tuple[str, ...]:
    return next(row.labels for row in TABLE if row.name == name)


def _at_present(name: str, value: float, labels: Mapping[str, str] | None = None) -> Metric:
    labels = labels or {}
    family = GaugeMetricFamily(name, _HELP[name], labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


class _Found(Collector):
    """What was collected already, in the form that the exposition wants."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics
