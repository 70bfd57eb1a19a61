"""urllib3's connections, made strict where http.client is lenient and a measurement would suffer from it."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse, RemoteDisconnected
from typing import Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from upswarm.transfer.stopwatch import Stopwatch


class Timed(Protocol):
    """Who has a stopwatch for the request under way."""

    stopwatch: Stopwatch


class _WholeLines(io.BufferedIOBase):
    """A stream of which a line that ends with the connection is no line."""

    def __init__(self, stream: io.BufferedIOBase, heard: Callable[[], None]) -> None:
        self._stream = stream
        self._heard = heard

    def readline(self, limit: int | None = -1, /) -> bytes:
        line = self._stream.readline(limit)
        if line:
            self._heard()
        if not line.endswith(b"\n") and len(line) != limit:
            raise RemoteDisconnected("the connection ended in the head of the answer")
        return line


class FinalResponse(HTTPResponse):
    """The final answer: a torn head is not taken for a whole one, and interim answers (1xx) are read over."""

    def __init__(self, *arguments: Any, heard: Callable[[], None], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._heard = heard

    def begin(self) -> None:
        """Read heads until one is final; http.client itself only reads over 100 Continue."""
        stream = self.fp
        self.fp = _WholeLines(stream, self._heard)  # type: ignore[assignment]  # readline is all that begin asks of it
        try:
            super().begin()
            while 102 <= self.status < 200:
                self.headers = None  # type: ignore[assignment]  # http.client's own sign that it has not begun
                super().begin()
        except BaseException:
            stream.close()
            raise
        self.fp = stream


class _Strict(HTTPConnection):
    """`connect_s` holds until the connection stands; from then on, also while sending, the read timeout does."""

    connect_s: float
    timed: Timed

    def connect(self) -> None:
        idle_s, self.timeout = self.timeout, self.connect_s
        try:
            super().connect()
        except TimeoutError as error:  # of the handshake: urllib3 would call it one of reading
            raise ConnectTimeoutError(self, f"no connection within {self.connect_s:g} s") from error
        finally:
            self.timeout = idle_s
        self.sock.settimeout(idle_s)
        self.timed.stopwatch.stands(reused=False)

    def request(self, *arguments: Any, **more: Any) -> None:
        if self.sock is not None:
            self.timed.stopwatch.stands(reused=True)
        super().request(*arguments, **more)
        self.timed.stopwatch.sent()

    def getresponse(self) -> Any:
        self.response_class = partial(FinalResponse, heard=self.timed.stopwatch.heard)  # type: ignore[assignment]
        return super().getresponse()


def pool_classes(connect_timeout_s: float, who: Timed) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of strict connections by scheme, for `PoolManager.pool_classes_by_scheme`."""

    class Connection(_Strict):
        connect_s = connect_timeout_s
        timed = who

    class TlsConnection(_Strict, HTTPSConnection):
        connect_s = connect_timeout_s
        timed = who

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}
