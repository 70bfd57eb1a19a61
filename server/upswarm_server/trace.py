"""What is known of the request that is being answered: for logs, wherever in the server they are written.

It belongs to the thread or greenlet that answers. Whoever comes to know more adds to it, without knowing who listens.
A client that traces what it does says in `traceparent` (W3C Trace Context) which of its spans the request is.
"""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "X-Request-ID"
PARENT_HEADER = "traceparent"
KEY = "upswarm.trace"
"""The name in the WSGI environment under which the trace is found."""

_SAFE = re.compile(r"[A-Za-z0-9._:+=/@-]{1,64}")
_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_FIRST_VERSION = "00"


@dataclass(slots=True)
class Trace:
    """One request; `route` is the template that its path matched, `trace_id` and `span_id` are its client's."""

    request_id: str
    trace_id: str | None = None
    span_id: str | None = None
    route: str | None = None
    upload_id: str | None = None
    client_id: str | None = None


_current: ContextVar[Trace | None] = ContextVar("upswarm_trace", default=None)


def begin(proposed_id: str | None, parent: str | None = None) -> Trace:
    """A new request begins here; its id is the client's when that is 1 to 64 safe characters, else one is drawn.

    A `parent` that is no valid `traceparent` is as good as none.
    """
    safe = proposed_id is not None and _SAFE.fullmatch(proposed_id)
    trace = Trace(proposed_id if proposed_id and safe else uuid.uuid4().hex, *ids_of(parent))
    _current.set(trace)
    return trace


def ids_of(parent: str | None) -> tuple[str, str] | tuple[None, None]:
    """The ids of trace and span in a `traceparent`; what a later version has besides is not read."""
    found = _PARENT.fullmatch(parent) if parent is not None else None
    if found is None or (found[4] is not None and found[1] == _FIRST_VERSION):
        return None, None
    return found[2], found[3]


def current() -> Trace | None:
    """The request that is being answered here, if there is one."""
    return _current.get()


def note(upload_id: str | None = None, client_id: str | None = None) -> None:
    """The request that is being answered here is about this upload, or this client."""
    trace = _current.get()
    if trace is not None:
        trace.upload_id = upload_id or trace.upload_id
        trace.client_id = client_id or trace.client_id
