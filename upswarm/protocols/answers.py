"""What dialects have in common when they read an answer."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urljoin

from upswarm.transfer.failures import Failure, Fault, kind_of_status
from upswarm.transfer.messages import Response
from upswarm.transfer.stored import Stored

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


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


def stored(answer: Response) -> Stored:
    """The file that an answer to `HEAD` tells of; raises `Fault` (`gone`) where there is none."""
    if answer.status not in {200, 204}:
        raise fault(answer, "expected status 200", kind_of(answer))
    size = answer.headers.get("content-length", "").strip()
    return Stored(int(size) if _LENGTH.fullmatch(size) else None)


def location(answer: Response) -> str:
    """Where the answer's `Location` leads: a whole URL, or a path where the answer does not know its own."""
    written = answer.headers.get("location", "").strip()
    with suppress(ValueError):
        url = urljoin(answer.url, written)
        if written and url.startswith(("/", "http://", "https://")):
            return url
    raise fault(answer, "without a usable Location", Failure.BROKEN)
