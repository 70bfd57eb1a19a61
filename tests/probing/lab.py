"""Short probes: small chunks and hardly a pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upswarm.probing.cuts import Cut, Ending, Point
from upswarm.probing.findings import Findings
from upswarm.probing.probe import Probe
from upswarm.probing.target import Target
from upswarm.protocols.tus import Tus
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.dialect import UploadProtocol

CHUNK_BYTES = 200_000
PAUSE_S = 0.1
ALL = tuple(Cut(point, ending, PAUSE_S) for point in Point for ending in Ending)
ONE = (Cut(Point.HALF, Ending.FIN, PAUSE_S),)
NONE: tuple[Cut, ...] = ()


def target(url: str, protocol: UploadProtocol | None = None, digest: str | None = None) -> Target:
    protocol = protocol or Tus("client-1")
    return Target(
        url=protocol.caps.endpoint(url),
        protocol_name=type(protocol).__name__.lower(),
        protocol=protocol,
        clock=SystemClock(),
        chunk_size_bytes=CHUNK_BYTES,
        digest=digest,
    )


def probed(
    url: str,
    plan: Sequence[Cut] = ALL,
    protocol: UploadProtocol | None = None,
    *,
    digest: str | None = None,
    sign: Sign = unsigned,
    silence_s: float = 0.1,
) -> Findings:
    whom = replace(target(url, protocol, digest), sign=sign)
    return Probe(whom, "test", plan=plan, within_s=20, silence_s=silence_s).run()
