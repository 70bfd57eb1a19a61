"""Hosts made of namespaces: what the journeys beside this rely on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.network.cable import Line
from tests.network.hosts import Host, missing, missing_clocks, network

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")

_CLOCKS = "import json, platform, time; print(json.dumps([platform.node(), time.monotonic(), time.time()]))"


def clocks(host: Host) -> tuple[str, float, float]:
    said = subprocess.run([*host.launcher, sys.executable, "-c", _CLOCKS], capture_output=True, text=True, check=True)
    name, monotonic_s, wall_s = json.loads(said.stdout)
    return name, monotonic_s - time.monotonic(), wall_s - time.time()


def round_trip_s(host: Host, other: Host, patience_s: float = 5.0) -> float | None:
    """How long it takes to connect; None where no answer comes."""
    with other.entered(), socket.create_server((other.address, 0)) as listener, host.entered():
        began_s = time.monotonic()
        try:
            socket.create_connection(listener.getsockname(), patience_s).close()
        except OSError:
            return None
        return time.monotonic() - began_s


def namespaces() -> set[str]:
    folder = Path("/run/netns")
    return (
        {each.name for each in folder.iterdir() if each.name.startswith(f"up{os.getpid()}-")}
        if folder.exists()
        else set()
    )


@pytest.mark.skipif(bool(missing_clocks()), reason=missing_clocks() or "nothing is missing")
def test_each_host_has_a_name_and_clocks_of_its_own() -> None:
    with network() as made:
        ahead, behind = made.host("ahead"), made.host("behind")
        ahead.set_clock(ahead_s=3600)
        behind.set_wall_clock(ahead_s=-3600)
        name, monotonic_off_s, wall_off_s = clocks(ahead)
        assert (name, round(monotonic_off_s / 60), round(wall_off_s / 60)) == ("ahead", 60, 0)
        name, monotonic_off_s, wall_off_s = clocks(behind)
        assert (name, round(monotonic_off_s / 60), round(wall_off_s / 60)) == ("behind", 0, -60)


def test_a_line_is_slow_can_be_unplugged_and_leaves_nothing() -> None:
    with network() as made:
        near, far = made.host("near"), made.host("far", Line(delay_s=0.05))
        first_s, then_s = round_trip_s(far, near), round_trip_s(far, near)  # the first one asks for the way, too
        assert first_s is not None
        assert then_s is not None
        assert then_s >= 0.1
        made.unplug(far)
        assert round_trip_s(far, near, patience_s=0.5) is None
        made.plug_in(far)
        assert round_trip_s(far, near) is not None
        assert len(namespaces()) == 3
    assert namespaces() == set()


def test_a_host_that_could_not_be_made_leaves_nothing_either() -> None:
    with network() as made:
        made.host("twice")
        with pytest.raises(AssertionError, match="File exists"):
            made.host("twice")
    assert namespaces() == set()
