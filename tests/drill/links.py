"""A client's connection to a server that may die at any moment and come back elsewhere."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_PAUSE_S = 0.03
_TIMEOUT_S = 20.0
_PATIENCE_S = 60.0


class Lost(Exception):
    """No answer came: what was asked may have happened or not."""


class Answer(NamedTuple):
    """A whole answer; `lost` tries before it had none."""

    status: int
    body: bytes
    lost: int = 0

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.body)) if self.body else {}

    @property
    def code(self) -> str:
        """The problem's code, of an error."""
        return str(self.document.get("code", "")) if self.status >= 400 else ""

    def __str__(self) -> str:
        return f"{self.status} {self.body[:300].decode(errors='replace')}"


class Address:
    """Where the server is now; whoever starts it says so here."""

    def __init__(self) -> None:
        self.port = 0


class Link:
    """One connection at a time, kept between requests."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes | Iterable[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One try; raises `Lost`. A body that is no bytes needs its Content-Length among the headers."""
        try:
            answer = self._send(method, path, body, headers).getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Lost(repr(error)) from error

    def insist(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Try until there is an answer other than a 503; raises `Lost` when there is none for a minute."""
        deadline = time.monotonic() + _PATIENCE_S
        lost = 0
        while True:
            try:
                answer = self.ask(method, path, body, headers)
                if answer.status != 503:
                    return answer._replace(lost=lost)
            except Lost:
                lost += 1
                if time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE_S)

    def send_only(self, method: str, path: str) -> None:
        """Send a request and hang up without waiting for the answer."""
        try:
            self._send(method, path, b"", None)
        except (OSError, http.client.HTTPException) as error:
            raise Lost(repr(error)) from error
        finally:
            self.close()

    def close(self) -> None:
        """Hang up; the next request connects anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self, method: str, path: str, body: bytes | Iterable[bytes], headers: Mapping[str, str] | None
    ) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._address.port, timeout=_TIMEOUT_S)
        self._connection.request(method, path, body, dict(headers or {}))
        return self._connection
