"""What is known of the request that is being answered: for logs, wherever in the server they are written.

It belongs to the thread or greenlet that answers. Whoever comes to know more adds to it, without knowing who listens.
"""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "X-Request-ID"
KEY = "upswarm.trace"
"""The name in the WSGI environment under which the trace is found."""

_SAFE = re.compile(r"[A-Za-z0-9._:+=/@-]{1,64}")


@dataclass(slots=True)
class Trace:
    """One request; `route` is the template that its path matched."""

    request_id: str
    route: str | None = None
    upload_id: str | None = None
    client_id: str | None = None


_current: ContextVar[Trace | None] = ContextVar("upswarm_trace", default=None)


def begin(proposed_id: str | None) -> Trace:
    """A new request begins here; its id is the client's when that is 1 to 64 safe characters, else one is drawn."""
    safe = proposed_id is not None and _SAFE.fullmatch(proposed_id)
    trace = Trace(proposed_id if proposed_id and safe else uuid.uuid4().hex)
    _current.set(trace)
    return trace


def current() -> Trace | None:
    """The request that is being answered here, if there is one."""
    return _current.get()


def note(upload_id: str | None = None, client_id: str | None = None) -> None:
    """The request that is being answered here is about this upload, or this client."""
    trace = _current.get()
    if trace is not None:
        trace.upload_id = upload_id or trace.upload_id
        trace.client_id = client_id or trace.client_id
