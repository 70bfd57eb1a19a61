"""Auth is not part of a protocol: the exchange signs every request with one of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from upswarm.transfer.messages import Request

Sign = Callable[[Request], Request]


def unsigned(request: Request) -> Request:
    """No auth."""
    return request


def bearer(token: str, target_url: str) -> Sign:
    """`Authorization: Bearer …` (RFC 6750) on every request that goes to the target, and on no other.

    A server may answer with a URL of its choice; the token must not follow it to another host.
    """
    home = _origin(target_url)

    def sign(request: Request) -> Request:
        if "://" in request.path and _origin(request.path) != home:
            return request
        return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})

    return sign


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
