"""The transport over `requests`: its connection pool and TLS, none of its retries, redirects or surroundings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from upswarm import __version__
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_connection import pool_classes


class RequestsTransport:
    """One `requests.Session`: one user's connection to one target. Nagle is off, as urllib3 sets it."""

    def __init__(self, base_url: str, timeouts: Timeouts) -> None:
        self._base_url = base_url.rstrip("/")
        self._idle_s = timeouts.idle_s
        self._session = _Session()
        self._session.trust_env = False  # a proxy or .netrc of the machine must not bend a measurement
        self._session.headers = {"User-Agent": f"upswarm/{__version__}", "Accept": "*/*"}
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(timeouts.connect_s))

    def send(self, request: Request) -> Response:
        """Send once; a body goes out view by view under its Content-Length."""
        url = request.path if "://" in request.path else self._base_url + request.path
        try:
            answer = self._session.request(
                request.method,
                url,
                data=request.body,  # type: ignore[arg-type]  # an iterable with a length: no copy, no chunked coding
                headers=request.headers,
                timeout=self._idle_s,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Interrupted(_kind_of(error), _root_of(error)) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)

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

    def __init__(self, connect_s: float) -> None:
        super().__init__(pool_connections=1, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = pool_classes(connect_s)

    def close(self) -> None:
        """Close the connections now; urllib3 would wait until the last exception that knows of them is forgotten."""
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 (not a dict)
            pools[key].close()
        super().close()


def _kind_of(error: BaseException) -> Failure:
    causes = _causes(error)
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return Failure.UNREACHABLE
    if any(isinstance(cause, requests.Timeout | TimeoutError | ReadTimeoutError) for cause in causes):
        return Failure.TIMED_OUT
    return Failure.CUT


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
