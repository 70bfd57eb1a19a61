"""The transport over `requests`: its connection pool and TLS, none of its retries, redirects or surroundings."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, ProxyError
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    InsecureRequestWarning,
    InvalidChunkLength,
    InvalidHeader,
    NewConnectionError,
    ReadTimeoutError,
)

from upswarm import __version__
from upswarm.transfer.failures import Failure, Interrupted, shortage
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.stopwatch import Stopwatch
from upswarm.transfer.transport import DIRECT, Route, Timeouts
from upswarm.transfer.transport_connection import Timed, pool_classes
from upswarm.transfer.transport_opening import no_socket, untrusted
from upswarm.transfer.transport_route import environment_proxies


class RequestsTransport:
    """One `requests.Session`: one user's connection to one target. Nagle is off, as urllib3 sets it.

    The witness for `SocketTransport`. It has no clock for a whole request, so `total_s` is refused.
    """

    def __init__(self, base_url: str, timeouts: Timeouts, route: Route = DIRECT) -> None:
        if timeouts.total_s is not None:
            raise ValueError("expected no total timeout with the transport `requests`; take `socket`")
        self.stopwatch = Stopwatch()
        self._base_url = base_url
        self._idle_s = timeouts.idle_s
        self._session = _Session()
        self._session.trust_env = False  # a proxy or .netrc of the machine must not bend a measurement
        self._session.verify = (route.ca_file or True) if route.verify else False
        if not route.verify:
            urllib3.disable_warnings(InsecureRequestWarning)  # the scenario says so; each request would say it again
        self._proxies = route.proxies
        self._session.headers = {"User-Agent": f"upswarm/{__version__}", "Accept": "*/*"}
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(timeouts.connect_s, self))

    def send(self, request: Request) -> Response:
        """Send once; a body goes out view by view under its Content-Length."""
        url = self._url(request.path)
        self.stopwatch = Stopwatch()
        try:
            answer = self._session.request(
                request.method,
                url,
                data=request.body,  # type: ignore[arg-type]  # an iterable with a length: no copy, no chunked coding
                headers=request.headers,
                timeout=self._idle_s,
                allow_redirects=False,
                proxies=environment_proxies(urlsplit(url).netloc) if self._proxies else None,
            )
        except Interrupted as interruption:  # of a body that ends on purpose
            interruption.at(self.stopwatch.timings)
            raise
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _interruption(error).at(self.stopwatch.timings) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content, url, self.stopwatch.timings)

    def _url(self, path: str) -> str:
        """The target's own URL goes out as it was written: a slash at its end can make a difference."""
        if "://" in path:
            return path
        return self._base_url.rstrip("/") + path if path else self._base_url

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()


class _Session(requests.Session):
    """A session that does not even look where a redirect leads: a Location that is no URL would be an exception."""

    def resolve_redirects(self, *_args: Any, **_kwargs: Any) -> Iterator[Any]:
        """None."""
        return iter(())


class _Adapter(HTTPAdapter):
    """An adapter whose connections are those of `transport_connection`."""

    def __init__(self, connect_s: float, timed: Timed) -> None:
        super().__init__(pool_connections=1, max_retries=0)
        self._pool_classes = pool_classes(connect_s, timed)
        self.poolmanager.pool_classes_by_scheme = self._pool_classes

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """The same connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = self._pool_classes
        return manager

    def close(self) -> None:
        """Close the connections now; urllib3 would wait until the last exception that knows of them is forgotten."""
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 (not a dict)
            pools[key].close()
        super().close()


_KINDS: tuple[tuple[tuple[type[BaseException], ...], Failure], ...] = (
    ((ConnectionRefusedError,), Failure.REFUSED),
    ((NewConnectionError, ProxyError), Failure.UNREACHABLE),
    ((ConnectTimeoutError,), Failure.CONNECT_TIMEOUT),
    ((requests.Timeout, TimeoutError, ReadTimeoutError), Failure.IDLE_TIMEOUT),
    ((InvalidChunkLength, DecodeError, InvalidHeader), Failure.GARBLED),
    ((InvalidURL, InvalidSchema, MissingSchema, requests.exceptions.InvalidHeader), Failure.BROKEN),
    ((RemoteDisconnected, ssl.SSLEOFError), Failure.TORN),
    ((IncompleteRead,), Failure.TORN),
    ((HTTPException,), Failure.GARBLED),
    ((ssl.SSLError,), Failure.UNREACHABLE),
    ((ConnectionError,), Failure.RESET),
)
"""The first that is among the causes: many of these are kinds of those below them."""


def _interruption(error: BaseException) -> Interrupted:
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return untrusted(cause)
    through = "through the proxy: " if any(isinstance(cause, ProxyError) for cause in causes) else ""
    kind = _kind_of(causes)
    without = no_socket() if kind is Failure.UNREACHABLE else None
    for cause in [*causes, without] if without else causes:
        if lacking := shortage(cause):
            return Interrupted(lacking, f"{through}{getattr(cause, 'strerror', '')}")
    return Interrupted(kind, through + _root_of(error))


def _kind_of(causes: Sequence[BaseException]) -> Failure:
    for kinds, failure in _KINDS:
        if any(isinstance(cause, kinds) for cause in causes):
            return failure
    return Failure.TORN


def _root_of(error: BaseException) -> str:
    """The innermost message: what the operating system said, without addresses of Python objects."""
    *_, root = [error, *(cause for cause in _causes(error) if isinstance(cause, OSError))]
    return getattr(root, "strerror", None) or type(root).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """The error, what it wraps in its arguments, and what it was raised from."""
    causes: list[BaseException] = []
    pending = [error]
    while pending:
        cause = pending.pop(0)
        if cause in causes:
            continue
        causes.append(cause)
        wrapped = [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
        pending += [each for each in wrapped if isinstance(each, BaseException)]
    return causes
