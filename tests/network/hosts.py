"""Hosts on one switch, on one machine: each is a network namespace with an address and a name of its own.

Nothing of it touches the machine's own network: the switch is a bridge in a namespace too. Needs root, iproute2 and
`/dev/net/tun`; `missing` says what is not there.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.network.cable import Line

_NUMBERS = itertools.count(1)
_NAMESPACES = Path("/run/netns")
_LOOSE_END = "loose-end"
_CLONE_NEWNET = 0x40000000
_IP = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""
_HOUR_S = 3600
_FAKE_NOTHING_ELSE = {"NO_FAKE_STAT": "1", "FAKETIME_DISABLE_SHM": "1"}
_NAMED = 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"'


def missing() -> str:
    """What this machine lacks for such hosts, as a sentence; "" where nothing is."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not _IP:
        return "`ip` is missing: apt-get install iproute2"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is missing"
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, text=True, check=False)
    return f"network namespaces are not allowed here: {tried.stderr.strip()}" if tried.returncode else ""


def missing_clocks() -> str:
    """What this machine lacks for clocks that are wrong."""
    asked = ["unshare", *_time_namespace(_HOUR_S), "cat", "/proc/uptime"]
    tried = subprocess.run(asked, capture_output=True, text=True, check=False)
    if tried.returncode or _uptime_s(tried.stdout) < _uptime_s(Path("/proc/uptime").read_text()) + _HOUR_S / 2:
        return f"this kernel has no time namespaces for such a test: {tried.stderr.strip()}"
    return "" if any(_faketime()) else "libfaketime is missing: apt-get install libfaketime"


class Host:
    """One of a network's hosts: `launcher` before a command runs it there, and becomes it."""

    def __init__(self, name: str, namespace: str, address: str) -> None:
        self.name = name
        self.namespace = namespace
        self.address = address
        self._clock: Sequence[str] = ()
        self._wall_clock: Sequence[str] = ()

    @property
    def launcher(self) -> tuple[str, ...]:
        """The command's surroundings: the host's network, its name, and its clock."""
        entered = (_IP, "netns", "exec", self.namespace, "unshare", "--uts", *self._clock)
        return (*entered, "sh", "-c", _NAMED, self.name, *self._wall_clock)

    def set_clock(self, ahead_s: int) -> None:
        """The monotonic clock of what is started from now on shows so much more."""
        self._clock = _time_namespace(ahead_s)

    def set_wall_clock(self, ahead_s: int) -> None:
        """The time of day of what is started from now on is so much later; needs libfaketime."""
        faked = {
            "LD_PRELOAD": str(next(_faketime())),
            "FAKETIME": f"{ahead_s:+d}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self._wall_clock = ("env", *(f"{name}={value}" for name, value in (faked | _FAKE_NOTHING_ELSE).items()))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Within, this thread opens its connections from this host."""
        with Path("/proc/thread-self/ns/net").open() as before, (_NAMESPACES / self.namespace).open() as own:
            _enter(own.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())


class Network:
    """A switch, and hosts that are plugged into it. `close` removes everything."""

    def __init__(self) -> None:
        self._name = f"up{os.getpid()}-{next(_NUMBERS)}"
        self._namespaces: list[str] = []
        self._cables: list[subprocess.Popen[str]] = []
        self._switch = ""

    def open(self) -> None:
        """Set up the switch; what runs that were killed have left is removed before."""
        _remove_orphans()
        self._switch = self._namespace("switch")
        _ip("-n", self._switch, "link", "add", "name", "bridge", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "dev", "bridge", "up")

    def host(self, name: str, line: Line | None = None) -> Host:
        """A further host, at the end of a cable; without a `line` it is as good as any."""
        number = len(self._namespaces)
        host = Host(name, self._namespace(name), f"10.77.0.{number}")
        if line is None:
            _ip("-n", self._switch, "link", "add", "name", name, "type", "veth",
                "peer", "name", "eth0", "netns", host.namespace)  # fmt: skip
        else:
            self._lay_cable(host, line)
        _ip("-n", self._switch, "link", "set", "dev", name, "master", "bridge", "up")
        _ip("-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", "eth0")
        _ip("-n", host.namespace, "link", "set", "dev", "eth0", "up")
        return host

    def unplug(self, host: Host) -> None:
        """The host's cable is pulled out of the switch."""
        _ip("-n", self._switch, "link", "set", "dev", host.name, "down")

    def plug_in(self, host: Host) -> None:
        """And in again."""
        _ip("-n", self._switch, "link", "set", "dev", host.name, "up")

    def close(self) -> None:
        """Whatever of it there is, is gone."""
        for cable in self._cables:
            cable.kill()
            cable.communicate()
        for namespace in self._namespaces:
            with suppress(AssertionError):
                _ip("netns", "del", namespace)

    def _namespace(self, name: str) -> str:
        namespace = f"{self._name}-{name}"
        _ip("netns", "add", namespace)
        self._namespaces.append(namespace)
        _ip("-n", namespace, "link", "set", "dev", "lo", "up")
        return namespace

    def _lay_cable(self, host: Host, line: Line) -> None:
        command = [_IP, "netns", "exec", self._switch, sys.executable, "-m", "tests.network.cable"]
        cable = subprocess.Popen(
            [*command, host.name, _LOOSE_END, line.to_json()],
            stdin=subprocess.PIPE,  # closed with this process, however it ends
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._cables.append(cable)
        assert cable.stdout is not None
        assert cable.stdout.readline() == "ready\n", "the cable was not laid"
        _ip("-n", self._switch, "link", "set", "dev", _LOOSE_END, "netns", host.namespace, "name", "eth0")


@contextmanager
def network() -> Iterator[Network]:
    """A network that is gone afterwards."""
    made = Network()
    try:
        made.open()
        yield made
    finally:
        made.close()


def _ip(*arguments: str) -> None:
    done = subprocess.run([_IP, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr.strip()}"


def _remove_orphans() -> None:
    for each in _NAMESPACES.glob("up*-*-*"):
        if not Path("/proc", each.name[2:].partition("-")[0]).exists():
            with suppress(AssertionError):  # another process may have been quicker
                _ip("netns", "del", each.name)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "the namespace can't be entered")


def _time_namespace(ahead_s: int) -> tuple[str, ...]:
    return ("--time", "--monotonic", str(ahead_s), "--boottime", str(ahead_s))


def _faketime() -> Iterator[Path]:
    return Path("/usr/lib").glob("*/faketime/libfaketime.so.1")


def _uptime_s(said: str) -> float:
    return float(said.split(maxsplit=1)[0])
