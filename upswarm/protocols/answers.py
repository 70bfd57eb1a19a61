"""What dialects have in common when they read an answer."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urljoin

from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Response

_BY_STATUS = {
    401: Failure.DENIED,
    403: Failure.DENIED,
    404: Failure.GONE,
    410: Failure.GONE,
    413: Failure.TOO_LARGE,
    416: Failure.SYNC,
    429: Failure.BUSY,
    507: Failure.FULL,
}


def kind_of(status: int) -> Failure:
    """What a status that was not expected means where nothing more is known."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return Failure.BROKEN
    return Failure.REFUSED if status < 500 or status == 501 else Failure.BUSY


def kind_at_init(status: int) -> Failure:
    """As `kind_of`, where there is no upload yet that could be gone: what is not there is the target itself."""
    kind = kind_of(status)
    return Failure.REFUSED if kind is Failure.GONE else kind


def fault(answer: Response, detail: str, kind: Failure) -> Fault:
    """A fault whose message begins with the status."""
    return Fault(kind, f"{answer.status} {detail}", status=answer.status)


def location(answer: Response) -> str:
    """Where the answer's `Location` leads: a whole URL, or a path where the answer does not know its own."""
    written = answer.headers.get("location", "").strip()
    with suppress(ValueError):
        url = urljoin(answer.url, written)
        if written and url.startswith(("/", "http://", "https://")):
            return url
    raise fault(answer, "without a usable Location", Failure.BROKEN)
