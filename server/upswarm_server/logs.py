"""What the server writes about itself: one JSON object per request, and words on stderr.

Nothing of a client's becomes a line of its own: control characters are escaped. Query strings and headers, in which
secrets travel, are in no log.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from gunicorn.glogging import Logger

from upswarm_server import trace
from upswarm_server.bodies import RECEIVED_BYTES
from upswarm_server.trace import Trace

FIELDS = (
    "time", "request_id", "method", "path", "route", "status", "received_bytes", "seconds",
    "upload_id", "client_id", "trace_id", "span_id", "server_id", "pid",
)  # fmt: skip
"""The members of a line of the access log, in their order."""

_SERVER_ID = socket.gethostname()
_UNTRACED = Trace("")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_QUERY = re.compile(r"\?\S*")
_QUOTED = re.compile(r"['\"].*", re.DOTALL)


class TextFormatter(logging.Formatter):
    """For people: a line per message, then its traceback, indented."""

    def __init__(self) -> None:
        super().__init__(Logger.error_fmt, Logger.datefmt)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, with the id of the request that it belongs to."""
        request_id = _request_id(record)
        return _escaped(super().formatMessage(record)) + (f" (request {request_id})" if request_id else "")

    def format(self, record: logging.LogRecord) -> str:
        """The line and its traceback; nothing but a message begins at a line's beginning."""
        record.msg, record.args = said(record), None
        first, *more = super().format(record).split("\n")
        return "\n".join([first, *(f"    {_escaped(line)}" for line in more)])


class JsonFormatter(logging.Formatter):
    """For machines: an object per message, with its traceback in it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        members = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": said(record),
            "request_id": _request_id(record),
            "traceback": self.formatException(record.exc_info) if record.exc_info else None,
            "server_id": _SERVER_ID,
            "pid": os.getpid(),
        }
        return json.dumps(members)


class TextLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's logger, whose access log is JSON; it takes what the server itself says along."""

    formatter: type[logging.Formatter] = TextFormatter

    def setup(self, cfg: Any) -> None:
        """Called at the start and at a reload."""
        super().setup(cfg)
        ours = logging.getLogger("upswarm_server")
        ours.handlers = list(self.error_log.handlers)
        ours.propagate = False
        ours.setLevel(self.loglevel)
        for handler in self.error_log.handlers:
            handler.setFormatter(self.formatter())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """A request was answered, as far as its client wanted to hear it."""
        if self.access_log_enabled:
            self.access_log.info("%s", access_line(resp, req, environ, request_time))


class JsonLogger(TextLogger):
    """The same, with JSON on stderr too."""

    formatter = JsonFormatter


def access_line(resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> str:
    """One line of the access log; what is not known is null."""
    found = environ.get(trace.KEY) or trace.current() or _UNTRACED
    values = (
        _time(time.time()),
        found.request_id or None,
        req.method,
        req.path,
        found.route,
        _status(resp),
        int(environ.get(RECEIVED_BYTES, 0)),
        round(request_time.total_seconds(), 6),
        found.upload_id,
        found.client_id,
        found.trace_id,
        found.span_id,
        _SERVER_ID,
        os.getpid(),
    )
    return json.dumps(dict(zip(FIELDS, values, strict=True)))


def said(record: logging.LogRecord) -> str:
    """The message, without what gunicorn puts into it of a request: its query, or the head that it can't read."""
    message = record.getMessage()
    if _is_unreadable(message):
        return _QUOTED.sub("(left out)", message)
    return _QUERY.sub("", message) if message.startswith("Error handling request") else message


def _request_id(record: logging.LogRecord) -> str | None:
    # What could not be read comes after the request that was answered last on the same connection.
    found = trace.current()
    return None if found is None or _is_unreadable(record.getMessage()) else found.request_id


def _is_unreadable(message: str) -> bool:
    return message.startswith("Invalid request from ip=")


def _status(resp: Any) -> int | None:
    # "204 No Content"; nothing when the answer was not begun.
    return int(str(resp.status).split(" ", 1)[0]) if resp.status else None


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
