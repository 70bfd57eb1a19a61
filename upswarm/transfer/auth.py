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
    """`Authorization: Bearer …` (RFC 6750) on every request that goes to the target, and on no other."""

    return header("Authorization", f"Bearer {token}", target_url)


def header(name: str, value: str, target_url: str) -> Sign:
    """The same header, such as `X-Api-Key`, on every request that goes to the target, and on no other."""

    def sign(request: Request) -> Request:
        return replace(request, headers={**request.headers, name: value})

    return only_to_the_target(target_url, sign)


def only_to_the_target(target_url: str, sign: Sign) -> Sign:
    """The same for requests that go to the target; others stay as they are.

    A server may answer with a URL of its choice; no credentials must follow it to another host.
    """
    home = _origin(target_url)
    return lambda request: sign(request) if _origin(url_of(request, target_url)) == home else request


def url_of(request: Request, target_url: str) -> str:
    """Where a transport sends the request to."""
    if "://" in request.path:
        return request.path
    return target_url.rstrip("/") + request.path if request.path else target_url


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
