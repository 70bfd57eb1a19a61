"""Bodies of requests: length required and bounded, silent clients timed out, unwanted bytes drained."""

from __future__ import annotations

import time
from typing import Any, BinaryIO, cast

from falcon import Request, Response

from upswarm_server.connection import Connections
from upswarm_server.ingest import Body, Input
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings

RECEIVED_BYTES = "upswarm.received_bytes"
"""The name in the WSGI environment under which the access log finds how many bytes of a body really came."""


def body_of(req: Request, max_length_bytes: int) -> Body:
    """The request's body; raises `length_required`, or `size_over_limit` before any of it is read."""
    if req.get_header("Content-Length") is None:
        raise Problem("length_required", "expected a Content-Length header, found none")
    body: Body = req.context.body
    if body.length_bytes > max_length_bytes:
        raise Problem("size_over_limit", f"expected at most {max_length_bytes} B, found {body.length_bytes} B")
    return body


class Bodies:
    """The middleware around every request's body; with `connections` bodies are read past the WSGI input."""

    def __init__(self, settings: Settings, connections: Connections | None = None) -> None:
        self._timeout_s = settings.body_timeout_s
        self._request_timeout_s = settings.request_timeout_s
        self._max_drained_bytes = settings.max_chunk_size_bytes
        self._connections = connections

    def process_request(self, req: Request, resp: Response) -> None:
        """A client that stops sending its body, or reading its answer, costs a greenlet for this time and no longer."""
        _set_timeout(req.env, self._timeout_s)
        connection = self._connections.body_of(req.env) if self._connections and req.content_length else None
        req.context.body = Body(
            connection or Input(cast(BinaryIO, req.stream)),
            req.content_length or 0,
            deadline_s=time.monotonic() + self._request_timeout_s,
        )

    def process_response(self, req: Request, resp: Response, resource: object, req_succeeded: bool) -> None:
        """Take what was not wanted, up to a chunk's worth; a connection with more than that on it is not used again."""
        body: Body | None = getattr(req.context, "body", None)
        if body is None:  # its length could not even be read
            _give_up(req)
            return
        unread_bytes = body.length_bytes - body.received_bytes
        if req.get_header("Transfer-Encoding") or unread_bytes > self._max_drained_bytes:
            _give_up(req)
        else:
            body.drain()
        if body.torn:
            _give_up(req)
        req.env[RECEIVED_BYTES] = str(body.received_bytes)


def answered(worker: object, request: object, environ: dict[str, Any], response: object) -> None:
    """gunicorn's hook after an answer was sent: how long the next request may take to come is not ours to say."""
    _set_timeout(environ, None)


def _set_timeout(environ: dict[str, Any], timeout_s: float | None) -> None:
    # Only under gunicorn is there a socket; elsewhere the server's own timeouts must do.
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(timeout_s)


def _give_up(req: Request) -> None:
    # gunicorn reads the rest of a body before the next request, in very small steps, unless reading it has failed;
    # then it closes the connection after the answer.
    stream = req.env["wsgi.input"]
    if hasattr(stream, "failed"):
        stream.failed = True
