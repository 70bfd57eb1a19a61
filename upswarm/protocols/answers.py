"""What dialects have in common when they read an answer."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urljoin

from upswarm.transfer.failures import Failure, Fault, kind_of_status
from upswarm.transfer.messages import Response


def kind_of(answer: Response) -> Failure:
    """What an answer whose status was not expected means where nothing more is known."""
    return kind_of_status(answer.status, names_a_time="retry-after" in answer.headers)


def kind_at_init(answer: Response) -> Failure:
    """As `kind_of`, where there is no upload yet that could be gone: what is not there is the target itself."""
    kind = kind_of(answer)
    return Failure.REJECTED if kind is Failure.GONE else kind


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
