"""The head of a request: what HTTP needs, what the dialect wants, in the order in which `requests` writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from upswarm import __version__
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Request
from upswarm.transfer.transport_route import Origin, Proxy

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_AGENT, _ACCEPT = f"User-Agent: upswarm/{__version__}", "Accept: */*"
_WITHOUT_LENGTH = {"GET", "HEAD"}


def head(request: Request, origin: Origin, target: str, proxy: Proxy | None = None) -> bytes:
    """A request line and its fields. What the dialect gives stands in place of ours, but for the length of the body."""
    given = {_lower(name): f"{name}: {value}" for name, value in request.headers.items()}
    size_bytes = len(request.body) if request.body is not None else 0
    if size_bytes or request.method not in _WITHOUT_LENGTH:
        given["content-length"] = f"Content-Length: {size_bytes}"
    if proxy:
        target = f"http://{origin.authority}{target}"
        given |= {name.lower(): f"{name}: {value}" for name, value in proxy.headers.items()}
    lines = [f"{request.method} {target} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {origin.authority}")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity")
    lines += (given.pop("user-agent", _AGENT), given.pop("accept", _ACCEPT), *given.values())
    return _written(lines)


def tunnel_head(origin: Origin, proxy: Proxy) -> bytes:
    """The request that asks a proxy for a way through."""
    fields = [f"{name}: {value}" for name, value in proxy.headers.items()]
    return _written([f"CONNECT {origin.tunnel} HTTP/1.1", f"Host: {origin.tunnel}", *fields])


@lru_cache
def _lower(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Interrupted(Failure.BROKEN, f"expected the name of a header, found {name[:60]!r}")
    return name.lower()


def _written(lines: Sequence[str]) -> bytes:
    """The lines, none of which is two; raises `Interrupted` otherwise."""
    text = "\r\n".join(lines) + "\r\n\r\n"
    if "\0" not in text and text.count("\r") == text.count("\n") == len(lines) + 1:
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            pass
    raise Interrupted(Failure.BROKEN, "expected headers of Latin-1 without ends of lines, found others")
