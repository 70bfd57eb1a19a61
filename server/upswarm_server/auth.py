"""Bearer tokens: optional, compared in constant time, each for reading, for uploading, or for both."""

from __future__ import annotations

import hmac
from enum import Flag, auto

from falcon import Request, Response

from upswarm_server.problems import Problem
from upswarm_server.settings import Settings

OPEN_PATHS = frozenset({"/health/live", "/health/ready"})
_READING = frozenset({"GET", "HEAD"})


class Scope(Flag):
    """What a token is good for."""

    READ = auto()
    WRITE = auto()


class Auth:
    """The middleware that lets a request in."""

    def __init__(self, settings: Settings) -> None:
        self._scopes = dict(_parsed(token) for token in settings.tokens)

    def process_request(self, req: Request, resp: Response) -> None:
        """Raise `unauthorized` or `forbidden` unless no token is wanted, or the request has one that is good for it."""
        if not self._scopes or req.path in OPEN_PATHS or _asks_what_tus_can(req):
            return
        scope = self._scope_of((req.get_header("Authorization") or "").encode())
        if scope is None:
            raise Problem("unauthorized", "expected one of the server's bearer tokens")
        needed = _needed(req)
        if not scope & needed:
            raise Problem("forbidden", f"expected a token that may {_in_words(needed)}, found one that may not")

    def _scope_of(self, found: bytes) -> Scope | None:
        # All are compared, so that the time does not tell which one was right.
        matches = [scope for expected, scope in self._scopes.items() if hmac.compare_digest(found, expected)]
        return matches[0] if matches else None


def _parsed(token: str) -> tuple[bytes, Scope]:
    """What stands in the header, and what it is good for; `settings` has checked how it is written."""
    secret, _, scope = token.partition(":")
    return f"Bearer {secret}".encode(), Scope[scope.upper()] if scope else Scope.READ | Scope.WRITE


def _needed(req: Request) -> Scope:
    """Either of these; who uploads may also ask how far an upload is."""
    if req.path == "/v1/files/check" or req.method == "OPTIONS":
        return Scope.READ | Scope.WRITE
    if req.method not in _READING:
        return Scope.WRITE
    return Scope.READ if req.path.startswith("/v1/files") or req.path == "/metrics" else Scope.READ | Scope.WRITE


def _in_words(needed: Scope) -> str:
    return "read" if needed is Scope.READ else "write"


def _asks_what_tus_can(req: Request) -> bool:
    return req.method == "OPTIONS" and req.path.startswith("/tus/")
