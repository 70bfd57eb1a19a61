"""`/metrics`: the figures of all workers, for Prometheus."""

from __future__ import annotations

from falcon import Request, Response

from upswarm_server.problems import Problem
from upswarm_server.service import Service
from upswarm_server.vitals import Vitals

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """A scrape."""

    def __init__(self, service: Service, vitals: Vitals) -> None:
        self._service = service
        self._vitals = vitals

    def on_get(self, req: Request, resp: Response) -> None:
        """Prometheus' text format; whichever worker answers, it is the whole server that it tells of."""
        text = self._service.meter.text(self._vitals.gauges())
        if text is None:
            raise Problem(
                "not_found", "no metrics are kept here; `upswarm serve` and server/gunicorn.conf.py keep them"
            )
        resp.content_type = TEXT
        resp.data = text
