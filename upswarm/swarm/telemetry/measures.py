"""The figures of a run as OpenTelemetry metrics: the same rows as for Prometheus, under dotted names.

There are no histograms that a callback could fill, so times are percentiles, with the attribute `quantile`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider

from upswarm.reports.live.live import Live
from upswarm.results.histogram import Histogram
from upswarm.swarm.telemetry.exporting import metric_reader, resource, shut_down
from upswarm.swarm.telemetry.figures import PREFIX, TABLE, Row, Sample, samples

QUANTILES = (0.5, 0.95, 0.99)
_UNITS = {"_seconds": "s", "_bytes": "By", "_ratio": "1"}
_SAME_S = 0.2
"""All instruments are asked one after the other, and see the same moment."""


def name_and_unit(row: Row) -> tuple[str, str]:
    """`upswarm_load_sent_bytes_total` is `upswarm.load.sent` in `By`."""
    name = row.name.removesuffix("_total")
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return f"upswarm.load.{name.removeprefix(PREFIX).removesuffix(suffix)}", unit
    return f"upswarm.load.{name.removeprefix(PREFIX)}", "1"


class Measures:
    """Sends the figures of a process's runs until it is shut down."""

    def __init__(self, look: Callable[[], Live]) -> None:
        self._look = look
        self._looked_s = -_SAME_S
        self._samples: list[Sample] = []
        self._provider = MeterProvider([metric_reader()], resource(), shutdown_on_exit=False)
        meter = self._provider.get_meter("upswarm")
        for row in TABLE:
            name, unit = name_and_unit(row)
            make = meter.create_observable_counter if row.kind == "counter" else meter.create_observable_gauge
            make(name, [self._callback(row)], unit, row.help)

    def shut_down(self) -> None:
        """Send the last of them."""
        shut_down(self._provider, "metrics")

    def _callback(self, row: Row) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: self._observed(row)

    def _observed(self, row: Row) -> Iterator[Observation]:
        if time.monotonic() - self._looked_s >= _SAME_S:
            self._samples, self._looked_s = list(samples(self._look())), time.monotonic()
        for each in self._samples:
            if each.name == row.name:
                attributes = dict(zip(row.labels, each.labels, strict=True))
                if isinstance(each.value, Histogram):
                    yield from _quantiles(each.value, attributes)
                else:
                    yield Observation(float(each.value), attributes)


def _quantiles(times: Histogram, attributes: dict[str, str]) -> Iterator[Observation]:
    for quantile in QUANTILES:
        value_s = times.percentile_s(quantile * 100)
        if value_s is not None:
            yield Observation(value_s, {**attributes, "quantile": f"{quantile:g}"})
