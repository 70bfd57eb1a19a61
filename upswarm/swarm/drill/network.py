"""The network between the load and a server of ours: it can be cut, slowed and mended.

It is a cable to a network namespace where this machine has such things, and a TCP proxy otherwise. A cable is slowed by
netem; where the kernel has none, the proxy does so, which stands at the cable's far end then.
"""

from __future__ import annotations

from upswarm.errors import TargetError, UsageError
from upswarm.swarm.drill.cable import Cable
from upswarm.swarm.drill.proxied import ProxyProcess
from upswarm.workload.drill import NetworkKind, Slowness

_LOST, _RESET = "packets got lost", "connections were reset"


class Network:
    """The way to the server at this URL, which stands at the end of the `cable` if there is one; `url` is its end here.

    `without` is why there is no cable, where one had been welcome.
    """

    def __init__(self, server_url: str, cable: Cable | None = None, *, slows: bool = True, without: str = "") -> None:
        self._cable = cable
        self._proxy: ProxyProcess | None = None
        if cable is None:
            self._proxy = ProxyProcess(server_url)
        elif slows and not cable.can_slow:
            self._proxy = ProxyProcess(server_url, cable.address, cable.enter)
        self._slows, self._without = slows, without
        self.url = server_url if self._proxy is None else self._proxy.url
        self.cut_means = _RESET if cable is None else _LOST

    def __str__(self) -> str:
        """What it is made of, in a sentence's words."""
        if self._cable is None:
            reason = f": {self._without}" if self._without else ""
            return f"the drill's network is a TCP proxy{reason}"
        slowed = "a TCP proxy slows it, for netem is not here" if self._proxy is not None else "netem slows it"
        return "the drill's network is a cable to a network namespace" + (f": {slowed}" if self._slows else "")

    def cut(self) -> None:
        """Nothing comes through any more."""
        if self._cable is not None:
            self._cable.cut()
        elif self._proxy is not None:
            self._proxy.cut()

    def slow(self, slowness: Slowness) -> None:
        """Delay what is sent, or let only so much through."""
        if self._proxy is not None:
            self._proxy.slow(slowness)
        elif self._cable is not None:
            self._cable.slow(slowness)

    def mend(self) -> None:
        """Be a good network again."""
        if self._cable is not None:
            self._cable.mend()
        if self._proxy is not None:
            self._proxy.mend()

    def stop(self) -> None:
        """Nothing comes through for good; the cable is for whoever has laid it to take away."""
        if self._proxy is not None:
            self._proxy.stop()


def laid(kind: NetworkKind) -> tuple[Cable | None, str]:
    """A cable, if one is wished for or can be had; and why there is none. Raises `UsageError` if one has to be."""
    if kind is NetworkKind.PROXY:
        return None, ""
    try:
        return Cable(), ""
    except TargetError as error:
        if kind is NetworkKind.AUTO:
            return None, str(error)
        raise UsageError(
            f"drill.network: expected a machine where a network namespace can be made, found that {error}",
            hint="say `network: auto`, which takes a TCP proxy then",
        ) from error
