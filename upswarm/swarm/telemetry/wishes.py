"""Whether OpenTelemetry's environment variables ask for traces or metrics; without, nothing of its SDK is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upswarm.swarm.telemetry.tracing import Traces
    from upswarm.transfer.clock import Clock

SIGNALS = ("traces", "metrics")
_EXTRA = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def wished(signal: str, environ: Mapping[str, str] = os.environ) -> bool:
    """By `OTEL_<SIGNAL>_EXPORTER=otlp`, or by an endpoint where that says nothing; not with `OTEL_SDK_DISABLED`."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = _named(environ.get(f"OTEL_{signal.upper()}_EXPORTER", ""))
    if exporters:
        return "otlp" in exporters
    endpoints = "OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    return any(environ.get(name, "").strip() for name in endpoints)


def active(signal: str) -> bool:
    """Whether it is wished for, and can be had."""
    return wished(signal) and _installed()


def traces(clock: Clock, target_url: str) -> Traces | None:
    """What follows the uploads of one run in this process; None where nobody wants to know."""
    if not active("traces"):
        return None
    from upswarm.swarm.telemetry.tracing import Traces  # noqa: PLC0415 (it takes 0.3 s, and may not be there)

    return Traces(clock, target_url)


def complaints(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Sentences on what was asked for and can't be had."""
    wishes = [signal for signal in SIGNALS if wished(signal, environ)]
    if wishes and not _installed():
        yield (
            f"OTEL_* variables ask for {' and '.join(wishes)}, and OpenTelemetry is not installed, so none are sent: "
            "pip install 'upswarm[otel]'"
        )
    for signal in SIGNALS:
        others = _named(environ.get(f"OTEL_{signal.upper()}_EXPORTER", "")) - {"otlp", "none"}
        if others:
            yield f"OTEL_{signal.upper()}_EXPORTER: expected otlp or none, found {', '.join(sorted(others))}"
    protocol = environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if wishes and protocol != "http/protobuf":
        yield f"OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf, which is used now, found {protocol}"


def _named(exporters: str) -> set[str]:
    return set(filter(None, (each.strip() for each in exporters.split(","))))


def _installed() -> bool:
    try:
        return all(find_spec(name) for name in _EXTRA)
    except ModuleNotFoundError:
        return False
