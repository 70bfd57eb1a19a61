"""The transport: one method that sends a request exactly once. Everything else about HTTP is its own affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from upswarm.transfer.messages import Request, Response


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect_s` until a connection stands, `idle_s` for the longest silence on it."""

    connect_s: float = 5.0
    idle_s: float = 30.0


class Transport(Protocol):
    """Carries requests to one target. Found by name as a plugin; called with the target's URL and `Timeouts`."""

    def __init__(self, base_url: str, timeouts: Timeouts) -> None: ...

    def send(self, request: Request) -> Response:
        """Send once, without retries or redirects, and read the whole answer; raises `Interrupted`."""

    def close(self) -> None:
        """Close all connections."""
