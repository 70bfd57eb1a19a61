"""A host that has no port left to connect from."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.network.hosts import Host, missing, network
from upswarm import plugins
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Phase, Request
from upswarm.transfer.transport import DIRECT, Timeouts

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")


@pytest.fixture
def host() -> Iterator[Host]:
    """One of two ports to connect from; it listens to itself."""
    with network() as made:
        alone = made.host("alone")
        few = "echo 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range"
        subprocess.run([*alone.launcher, "sh", "-c", few], check=True)
        yield alone


@pytest.mark.parametrize("transport", ["socket", "requests"])
def test_it_is_told_as_the_hosts_own_shortage(host: Host, transport: str) -> None:
    with host.entered(), ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host.address, 8000)))
        for _ in range(2):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        sends = plugins.find("transport", transport)(f"http://{host.address}:8000", Timeouts(), DIRECT)
        stack.callback(sends.close)
        with pytest.raises(Interrupted) as raised:
            sends.send(Request(Phase.PROBE, "GET", "/"))
    assert (raised.value.kind, raised.value.message) == (Failure.OUT_OF_PORTS, "Cannot assign requested address")
