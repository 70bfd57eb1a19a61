"""A WSGI application that says by which way it got a body: the path names the one to try."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import Any

from upswarm_server.connection import Connections
from upswarm_server.worker import wait_read

_connections = Connections(wait_read, timeout_s=5.0)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The body's SHA-256, when it came past gunicorn's own reading."""
    connection = _connections.body_of(environ)
    if connection is None:
        environ["wsgi.input"].read()
        answer = b"the plain way"
    else:
        length_bytes = int(environ["CONTENT_LENGTH"])
        hasher = hashlib.sha256()
        if environ["PATH_INFO"] == "/pipes":
            for pipe, count in connection.piped(length_bytes):
                hasher.update(os.read(pipe, count))
        else:
            for piece in connection.pieces(length_bytes):
                hasher.update(piece)
        answer = hasher.hexdigest().encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
