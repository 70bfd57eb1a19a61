"""urllib3's connections, made strict where http.client is lenient and a measurement would suffer from it."""

from __future__ import annotations

import io
from functools import lru_cache
from http.client import HTTPResponse, RemoteDisconnected

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _WholeLines(io.BufferedIOBase):
    """A stream of which a line that ends with the connection is no line."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def readline(self, limit: int | None = -1, /) -> bytes:
        line = self._stream.readline(limit)
        if not line.endswith(b"\n") and len(line) != limit:
            raise RemoteDisconnected("the connection ended in the head of the answer")
        return line


class FinalResponse(HTTPResponse):
    """The final answer: a torn head is not taken for a whole one, and interim answers (1xx) are read over."""

    def begin(self) -> None:
        """Read heads until one is final; http.client itself only reads over 100 Continue."""
        stream = self.fp
        self.fp = _WholeLines(stream)  # type: ignore[assignment]  # readline is all that begin asks of it
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
    response_class = FinalResponse

    def connect(self) -> None:
        idle_s, self.timeout = self.timeout, self.connect_s
        try:
            super().connect()
        finally:
            self.timeout = idle_s
        self.sock.settimeout(idle_s)


@lru_cache
def pool_classes(connect_timeout_s: float) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of strict connections by scheme, for `PoolManager.pool_classes_by_scheme`."""

    class Connection(_Strict):
        connect_s = connect_timeout_s

    class TlsConnection(_Strict, HTTPSConnection):
        connect_s = connect_timeout_s

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}
