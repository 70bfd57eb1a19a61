"""What goes to an OpenTelemetry collector leaves the process here: beside the load, and never in its way.

Only imported where it is asked for, after Locust has patched the interpreter: the SDK's threads are greenlets then.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import gevent
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from upswarm import __version__

PATIENCE_S = 2.0
"""How long the end of a process may wait for a collector."""
_BATCH = 128
"""Spans that are packed at a time, where `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` does not say: packing 512 takes 20 ms."""

_warned: set[str] = set()
_said: set[str] = set()


@cache
def resource() -> Resource:
    """Who sends it: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, else the service `upswarm`."""
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({"service.version": __version__, **({} if named else {"service.name": "upswarm"})})


def span_processor() -> BatchSpanProcessor:
    """Sends spans by batches, as the `OTEL_BSP_*` variables say."""
    _quieten()
    batch = None if "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" in os.environ else _BATCH
    return BatchSpanProcessor(_telling(OTLPSpanExporter(), "traces"), max_export_batch_size=batch)


def metric_reader() -> PeriodicExportingMetricReader:
    """Sends metrics every `OTEL_METRIC_EXPORT_INTERVAL`."""
    _quieten()
    return PeriodicExportingMetricReader(_telling(OTLPMetricExporter(), "metrics"))


def shut_down(provider: Any, signal: str) -> None:
    """Send what is left, for no longer than `PATIENCE_S`."""
    ending = gevent.spawn(provider.shutdown)
    ending.join(PATIENCE_S)
    if not ending.dead:
        _warn(signal, f"the collector did not take the last of them within {PATIENCE_S:g} s")
        ending.kill(block=False)


def _telling(exporter: Any, signal: str) -> Any:
    """The same exporter, which says in words when it fails."""
    send: Callable[..., Any] = exporter.export

    def export(*arguments: Any, **more: Any) -> Any:
        result = send(*arguments, **more)
        if result.name != "SUCCESS":
            _warn(signal, "the collector can't be reached, or refuses them")
        return result

    exporter.export = export
    return exporter


def _warn(signal: str, reason: str) -> None:
    """Once for each signal: a collector that is down would be worth a line a second."""
    if signal not in _warned:
        _warned.add(signal)
        print(f"warning: {signal} are being lost: {reason}. The run and its result do not depend on them.",
              file=sys.stderr, flush=True)  # fmt: skip


def _quieten() -> None:
    """The exporters log each failure with a traceback; that a full queue drops spans is worth a line, but only one."""
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL + 1)
    logging.getLogger("opentelemetry.sdk._shared_internal").addFilter(_first_of_its_kind)


def _first_of_its_kind(record: logging.LogRecord) -> bool:
    new = record.msg not in _said
    _said.add(str(record.msg))
    return new
