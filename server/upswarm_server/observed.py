"""The middleware around all others: every request gets an id, and is told to the meter before its answer is sent."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Any

from falcon import Request, Response

from upswarm_server import trace
from upswarm_server.bodies import RECEIVED_BYTES
from upswarm_server.meter import Meter

NO_ROUTE = "none"
"""The route of an address that leads nowhere, and of a request that was refused before its route was looked up."""
OTHER_METHOD = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_CONVERTER = re.compile(r":\w+(?:\([^)]*\))?(?=\})")


class Observed:
    """Whatever a client sends, the meter is told one of few routes and one of few methods."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def process_request(self, req: Request, resp: Response) -> None:
        """The request begins."""
        begun = trace.begin(req.get_header(trace.HEADER), req.get_header(trace.PARENT_HEADER))
        req.env[trace.KEY] = begun
        req.context.began_s = time.perf_counter()
        resp.set_header(trace.HEADER, begun.request_id)

    def process_resource(self, req: Request, resp: Response, resource: object, params: dict[str, Any]) -> None:
        """It has a route, and perhaps the id of an upload, or of the file that an upload became."""
        trace.note(upload_id=params.get("upload_id") or params.get("file_id"))

    def process_response(self, req: Request, resp: Response, resource: object, req_succeeded: bool) -> None:
        """The answer is ready."""
        begun = req.env.get(trace.KEY)
        if begun is None:  # Falcon refused it before any middleware saw it
            return
        begun.route = plain(req.uri_template) if req.uri_template else NO_ROUTE
        method = req.method if req.method in METHODS else OTHER_METHOD
        received_bytes = int(req.env.get(RECEIVED_BYTES, 0))
        seconds = time.perf_counter() - req.context.began_s
        self._meter.request(begun.route, method, resp.status_code, received_bytes, seconds)


@lru_cache(maxsize=256)
def plain(template: str) -> str:
    """A route's template as the documentation writes it, without converters."""
    return _CONVERTER.sub("", template)
