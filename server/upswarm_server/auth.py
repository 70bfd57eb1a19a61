"""Bearer tokens: optional, compared in constant time, wanted everywhere but where a load balancer looks."""

from __future__ import annotations

import hmac

from falcon import Request, Response

from upswarm_server.problems import Problem
from upswarm_server.settings import Settings

OPEN_PATHS = frozenset({"/health/live", "/health/ready"})


class Auth:
    """The middleware that lets a request in."""

    def __init__(self, settings: Settings) -> None:
        self._expected = [f"Bearer {token}".encode() for token in settings.tokens]

    def process_request(self, req: Request, resp: Response) -> None:
        """Raise `unauthorized` unless no token is wanted, or the request has one of ours."""
        if not self._expected or req.path in OPEN_PATHS:
            return
        found = (req.get_header("Authorization") or "").encode()
        # All are compared, so that the time does not tell which one was right.
        matches = [hmac.compare_digest(found, expected) for expected in self._expected]
        if not any(matches):
            raise Problem("unauthorized", "expected one of the server's bearer tokens")
