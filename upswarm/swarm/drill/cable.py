"""A cable between the load and a server of ours, which stands in a network namespace of its own.

When it is pulled out, packets are lost and nobody says so: no connection is broken, and none is refused. The namespace
has no name, and a shell holds it (`holder`), which takes both ends of the cable away when it ends.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from ipaddress import IPv4Address

from upswarm.errors import TargetError
from upswarm.swarm.drill.holder import Holder
from upswarm.workload.drill import Slowness

_FIRST, _PAIRS = IPv4Address("198.18.0.0"), 1 << 15
"""Addresses for benchmarks (RFC 2544), which nobody has on the internet; each cable takes four."""
_FAR = "eth0"
_QUEUED_PACKETS = 100_000
_SBIN = "/usr/sbin:/sbin"


class Cable:
    """Laid when made: `enter` before a server's command starts it at the far end, where its address is `address`;
    `near` is the name of this end.

    Raises `TargetError`, with the reason, where such a cable can't be laid, and then nothing is left.
    """

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise TargetError("network namespaces need root")
        self._ip, self._tc = _tool("ip"), _tool("tc")
        if not self._ip:
            raise TargetError("`ip` is missing (iproute2)")
        try:
            self._holder = Holder("--net")
        except OSError as error:
            raise TargetError(f"`unshare` can't be started: {error}") from error
        self.near = f"drill{self._holder.pid}"
        self.enter: tuple[str, ...] = ("nsenter", f"--target={self._holder.pid}", "--net")
        try:
            self._lay(*_free_pair(self._does(f"{self._ip} -o addr")))
            self.can_slow = bool(self._tc) and self._holder.does(f"{self._netem('replace', 'delay 1ms')} 2>/dev/null")
            self.mend()
        except BaseException:
            self.stop()
            raise

    def cut(self) -> None:
        """Pull it out at the far end, as the near one would know at once that nobody is there."""
        self._do_there(f"{self._ip} link set dev {_FAR} down")

    def slow(self, slowness: Slowness) -> None:
        """Let packets come so late, or so many of them; both ends do that to what they send."""
        wishes = [f"limit {_QUEUED_PACKETS}"]
        if slowness.delay_s or slowness.jitter_s:
            wishes.append(f"delay {round(slowness.delay_s * 1e6)}us {round(slowness.jitter_s * 1e6)}us")
        if slowness.bandwidth_bytes_per_s is not None:
            wishes.append(f"rate {round(slowness.bandwidth_bytes_per_s * 8)}bit")
        self._do_there(self._netem("replace", " ".join(wishes)))
        self._does(f"{self._tc} qdisc replace dev {self.near} root netem {' '.join(wishes)}")

    def mend(self) -> None:
        """As it was laid."""
        if self.can_slow:
            self._holder.does(f"{self._tc} qdisc del dev {_FAR} root 2>/dev/null")
            subprocess.run([self._tc, "qdisc", "del", "dev", self.near, "root"], capture_output=True, check=False)
        self._do_there(f"{self._ip} link set dev {_FAR} up")

    def stop(self) -> None:
        """Take it away; the namespace goes with its last process."""
        self._holder.stop()

    def _lay(self, near: str, far: str) -> None:
        if not self._holder.does("true"):  # it is there only now, and perhaps it was not allowed to be
            raise TargetError("network namespaces are not allowed here")
        self._does(f"{self._ip} link add {self.near} type veth peer name {_FAR} netns {self._holder.pid}")
        # Connections that wait for an answer keep a namespace for minutes, though nobody has them any more.
        self._do_there(f"trap '{self._ip} link del dev {_FAR}' EXIT")
        self._does(f"{self._ip} addr add {near}/30 dev {self.near}")
        self._does(f"{self._ip} link set dev {self.near} up")
        self._do_there(f"{self._ip} link set dev lo up && {self._ip} addr add {far}/30 dev {_FAR}")
        self.address = far

    def _netem(self, verb: str, wishes: str) -> str:
        return f"{self._tc} qdisc {verb} dev {_FAR} root netem {wishes}"

    def _does(self, command: str) -> str:
        done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise TargetError(f"`{command}` says: {done.stderr.strip()}")
        return done.stdout

    def _do_there(self, command: str) -> None:
        if not self._holder.does(command):
            raise TargetError(f"`{command}` failed in the server's network namespace")


def _tool(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}") or ""


def _free_pair(in_use: str) -> tuple[str, str]:
    """Two addresses of a network of four that no device of this machine has."""
    while True:
        first = _FIRST + 4 * random.randrange(_PAIRS)
        if f" {first + 1}/" not in in_use:
            return str(first + 1), str(first + 2)
