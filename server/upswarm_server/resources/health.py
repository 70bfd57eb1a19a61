"""`/health`: alive, ready, and a summary for people."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Iterator

from falcon import Request, Response

from upswarm import __version__
from upswarm_server.problems import Problem
from upswarm_server.service import Service


class Live:
    """Alive: the process answers."""

    def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        resp.media = {"status": "alive"}


class Ready:
    """Ready: the store works and has space, the catalog answers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_get(self, req: Request, resp: Response) -> None:
        """200, or `not_ready` with every reason."""
        if reasons := list(_obstacles(self._service)):
            raise Problem("not_ready", "; ".join(reasons), reasons=reasons)
        resp.media = {"status": "ready"}


class Summary:
    """A summary; what is counted by one worker process says so by its `pid`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._started_s = service.clock()

    def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        service = self._service
        now_s = service.clock()
        resp.media = {
            "status": "not ready" if list(_obstacles(service)) else "ready",
            "version": __version__,
            "server_id": service.settings.server_id,
            "pid": os.getpid(),
            "uptime_s": round(now_s - self._started_s, 3),
            "open_uploads": service.catalog.count_open(now_s),
            "catalog": dataclasses.asdict(service.catalog.commits()),
        }


def _obstacles(service: Service) -> Iterator[str]:
    try:
        free_bytes = service.store.free_bytes()
        if free_bytes < service.settings.min_free_bytes:
            yield f"expected {service.settings.min_free_bytes} B of free space, found {free_bytes} B"
    except OSError as error:
        yield f"the store does not work: {error.strerror or error}"
    try:
        service.catalog.count_open(service.clock())
    except sqlite3.Error as error:
        yield f"the catalog does not answer: {error}"
