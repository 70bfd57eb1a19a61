"""The transport: one method that sends a request exactly once. Everything else about HTTP is its own affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from upswarm.transfer.messages import Request, Response


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect_s` until a connection stands, `idle_s` for the longest silence on it, `total_s` for a whole request."""

    connect_s: float = 5.0
    idle_s: float = 30.0
    total_s: float | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Whether the environment's proxies may stand in the way, and whom to believe behind `https`.

    Without `ca_file`, a file of certificates in PEM, it is the authorities that the transport knows by itself.
    """

    proxies: bool = False
    verify: bool = True
    ca_file: str | None = None


DIRECT = Route()


class Transport(Protocol):
    """Carries requests to one target. Found by name as a plugin; called with a URL, `Timeouts` and a `Route`."""

    def __init__(self, base_url: str, timeouts: Timeouts, route: Route = DIRECT) -> None: ...

    def send(self, request: Request) -> Response:
        """Send once, without retries or redirects, and read the whole answer; raises `Interrupted`.

        A body may raise it too, in its middle: then what it gave before goes out, and the connection is closed.
        """

    def close(self) -> None:
        """Close all connections; whatever is sent later goes over new ones."""
