"""A cable to a server in a network namespace of its own: packets get lost, and nothing is left of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from upswarm.errors import TargetError, UsageError
from upswarm.swarm.drill import cable as cables
from upswarm.swarm.drill.cable import Cable
from upswarm.swarm.drill.network import Network, laid
from upswarm.swarm.embedded import EmbeddedServer
from upswarm.workload.drill import NetworkKind, Slowness

GONE_S = 15
DEVICES = Path("/sys/class/net")
HOLDER = """
import time
from upswarm.swarm.drill.cable import Cable
from upswarm.swarm.drill.network import Network
from upswarm.swarm.embedded import EmbeddedServer
cable = Cable()
server = EmbeddedServer({"UPSWARM_WORKERS": "1"}, cable=cable)
network = Network(server.url, cable)
network.cut()
print(cable.near, flush=True)
time.sleep(600)
"""


def missing() -> str:
    """Why no cable can be laid here; "" where one can."""
    cable, reason = laid(NetworkKind.AUTO)
    if cable is not None:
        cable.stop()
    return reason


needs_cable = pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    cable = Cable()
    server = EmbeddedServer({"UPSWARM_WORKERS": "1"}, cable=cable)
    network = Network(server.url, cable)
    yield network
    network.stop()
    server.stop()
    cable.stop()
    assert not (DEVICES / cable.near).exists()


def answer_s(network: Network, patience_s: float = 10) -> float:
    began_s = time.monotonic()
    with urlopen(f"{network.url}/health/live", timeout=patience_s) as answer:
        answer.read()
    return time.monotonic() - began_s


@needs_cable
def test_in_a_cut_nobody_hears_anything_until_it_is_mended(network: Network) -> None:
    assert "network namespace" in str(network)
    for _ in range(2):
        answer_s(network)
        network.cut()
        with pytest.raises((TimeoutError, URLError), match="timed out"):
            answer_s(network, patience_s=0.2)
        network.mend()
        answer_s(network)


@needs_cable
def test_it_can_be_slowed(network: Network) -> None:
    network.slow(Slowness(delay_s=0.1))
    assert answer_s(network) >= 0.2
    network.mend()


@needs_cable
def test_nothing_is_left_when_the_run_is_killed_while_it_is_cut() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        device = DEVICES / run.stdout.readline().strip()
        assert device.exists()
        run.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + GONE_S
    while device.exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not device.exists()


def test_without_a_namespace_it_is_a_proxy_unless_there_has_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert laid(NetworkKind.AUTO) == (None, "network namespaces need root")
    assert laid(NetworkKind.PROXY) == (None, "")
    with pytest.raises(
        UsageError, match=r"drill\.network: expected a machine .* found that network namespaces need root"
    ):
        laid(NetworkKind.NAMESPACE)


@needs_cable
def test_what_could_not_be_laid_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(DEVICES.glob("drill*"))
    monkeypatch.setattr(cables, "_free_pair", lambda in_use: ("nowhere", "nowhere"))
    with pytest.raises(TargetError, match="ip addr add nowhere"):
        Cable()
    assert set(DEVICES.glob("drill*")) <= before
