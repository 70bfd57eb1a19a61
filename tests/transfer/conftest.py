"""What each transport of ours is held against."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.transfer.unruly import serving
from upswarm import plugins
from upswarm.transfer.transport import DIRECT, Route, Timeouts, Transport


@pytest.fixture(params=["socket", "requests"])
def transport_to(request):
    """A context manager that makes a transport to a URL; each claim here holds for each of ours."""
    maker = plugins.find("transport", request.param)

    @contextmanager
    def made(url: str, route: Route = DIRECT, **timeouts: float) -> Iterator[Transport]:
        transport = maker(url, Timeouts(**timeouts), route)
        try:
            yield transport
        finally:
            transport.close()

    return made


@pytest.fixture
def meeting(transport_to):
    """An unruly server and a transport to it; the transport hangs up first, so the server can count to the end."""

    @contextmanager
    def made(*behaviours, **timeouts):
        with serving(*behaviours) as server, transport_to(server.url, **timeouts) as transport:
            yield server, transport

    return made
