"""How each thing is broken, and how it is mended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from upswarm.errors import TargetError
from upswarm.swarm.drill.network import Network
from upswarm.swarm.drill.site import Site
from upswarm.swarm.drill.talking import talking
from upswarm.units import format_bandwidth, format_duration
from upswarm.workload.drill import Act, ActKind, Slowness, picked


class Breaker:
    """Breaks what an act says, and mends it. Whatever can't be done raises `UpswarmError` or `OSError`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ways: dict[ActKind, Callable[[Act], None]] = {
            ActKind.KILL_SERVER_WORKER: self._kill_server_worker,
            ActKind.KILL_SERVER: self._kill_server,
            ActKind.STOP_SERVER: self._stop_server,
            ActKind.KILL_WORKER: self._kill_worker,
            ActKind.FILL_DISK: self._fill_disk,
            ActKind.CUT_NETWORK: self._cut_network,
            ActKind.SLOW_NETWORK: self._slow_network,
        }

    def do(self, act: Act) -> None:
        """Break it, wait as long as it lasts, mend it, and return when it works again."""
        self._ways[act.kind](act)

    def mend(self) -> None:
        """Whatever was interrupted in its middle is as it was before."""
        site = self._site
        site.server.resume()
        if not site.server.worker_pids():
            site.server.kill()
            site.server.start_again()
        if site.server.disk is not None:
            site.server.disk.empty()
        if site.network is not None:
            site.network.mend()
        site.await_answer()

    def _kill_server_worker(self, act: Act) -> None:
        pids = self._site.server.worker_pids()
        if not pids:
            raise TargetError("the server has no worker that could be killed")
        missed = talking(pids) or pids
        os.kill(missed[picked(act.pick, len(missed))], signal.SIGKILL)
        self._site.await_answer(lambda health: health.get("pid") not in pids)

    def _kill_server(self, act: Act) -> None:
        self._site.server.kill()
        time.sleep(act.for_s)
        self._site.server.start_again()
        self._site.await_answer()

    def _stop_server(self, act: Act) -> None:
        self._site.server.pause()
        time.sleep(act.for_s)
        self._site.server.resume()
        self._site.await_answer()

    def _kill_worker(self, act: Act) -> None:
        pids = load_workers()
        if len(pids) < 2:
            raise TargetError(f"expected a worker to kill and another one to go on, found {len(pids)}")
        os.kill(pids[picked(act.pick, len(pids))], signal.SIGKILL)

    def _fill_disk(self, act: Act) -> None:
        disk = self._site.server.disk
        assert disk is not None
        disk.fill()
        time.sleep(act.for_s)
        disk.empty()
        self._site.await_answer()

    def _cut_network(self, act: Act) -> None:
        assert self._site.network is not None
        self._site.network.cut()
        time.sleep(act.for_s)
        self._site.network.mend()
        self._site.await_answer()

    def _slow_network(self, act: Act) -> None:
        assert self._site.network is not None
        assert act.slowness is not None
        self._site.network.slow(act.slowness)
        time.sleep(act.for_s)
        self._site.network.mend()
        self._site.await_answer()


def load_workers() -> list[int]:
    """The processes that upload for us: those that Locust has forked, which look exactly as we do."""
    own = psutil.Process()
    words, pids = own.cmdline(), []
    for child in own.children():
        with suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE and child.cmdline() == words:
                pids.append(child.pid)
    return sorted(pids)


def told(act: Act, network: Network | None = None) -> str:
    """A sentence for people who were not there."""
    cut = f" ({network.cut_means})" if network is not None else ""
    slow = _how_slow(act.slowness or Slowness())
    return _TOLD[act.kind].format(lasting=format_duration(act.for_s), slow=slow, cut=cut)


_TOLD = {
    ActKind.KILL_SERVER_WORKER: "a worker of the server was killed (SIGKILL)",
    ActKind.KILL_SERVER: "the server was killed (SIGKILL of all its processes), and started again after {lasting}",
    ActKind.STOP_SERVER: "the server stood still (SIGSTOP of all its processes) for {lasting}",
    ActKind.KILL_WORKER: "a worker of the load was killed (SIGKILL)",
    ActKind.FILL_DISK: "the server's disk was full for {lasting}",
    ActKind.CUT_NETWORK: "the network was cut for {lasting}{cut}",
    ActKind.SLOW_NETWORK: "the network was slow for {lasting}{slow}",
}


def _how_slow(slowness: Slowness) -> str:
    words = []
    if slowness.delay_s or slowness.jitter_s:
        jitter = f" ± {format_duration(slowness.jitter_s)}" if slowness.jitter_s else ""
        words.append(f"{format_duration(slowness.delay_s)}{jitter} each way")
    if slowness.bandwidth_bytes_per_s is not None:
        words.append(f"at most {format_bandwidth(slowness.bandwidth_bytes_per_s)}")
    return f" ({', '.join(words)})" if words else ""
