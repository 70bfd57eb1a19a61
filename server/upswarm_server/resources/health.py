"""`/health`: alive, ready, and a summary for people."""

from __future__ import annotations

import dataclasses
import os

from falcon import Request, Response

from upswarm import __version__
from upswarm_server import shared
from upswarm_server.problems import Problem
from upswarm_server.service import Service
from upswarm_server.vitals import Vitals, if_known


class Live:
    """Alive: the process answers."""

    def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        resp.media = {"status": "alive"}


class Ready:
    """Ready: the store works and has space, the catalog answers, the server is not about to stop."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def on_get(self, req: Request, resp: Response) -> None:
        """200, or `not_ready` with every reason."""
        if reasons := self._vitals.obstacles():
            raise Problem("not_ready", "; ".join(reasons), reasons=reasons)
        resp.media = {"status": "ready"}


class Summary:
    """A summary of the whole server; `pid` is the worker that gives it."""

    def __init__(self, service: Service, vitals: Vitals) -> None:
        self._service = service
        self._vitals = vitals
        self._started_s = shared.started_s() or service.clock()

    def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        reasons = self._vitals.obstacles()
        # Nobody counts for all workers where there is only this one, as in tests.
        commits = self._service.meter.commits() or self._service.catalog.commits()
        resp.media = {
            "status": "not ready" if reasons else "ready",
            "reasons": reasons,
            "version": __version__,
            "server_id": self._service.settings.server_id,
            "pid": os.getpid(),
            "uptime_s": round(max(0.0, self._service.clock() - self._started_s), 3),
            "open_uploads": if_known(self._vitals.open_uploads),
            "catalog": dataclasses.asdict(commits),
            "fault_rules": len(self._service.settings.faults),
        }
