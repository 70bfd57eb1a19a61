"""Findings as a probe makes them, by hand."""

from __future__ import annotations

from dataclasses import replace

from upswarm.probing.aftermath import Aftermath, Check, Kept
from upswarm.probing.buffering import Buffering, Midway, Refusal
from upswarm.probing.cuts import Cut, Ending, Point
from upswarm.probing.findings import Findings
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.put import Put
from upswarm.protocols.tus import Tus
from upswarm.transfer.chunks import Grid

MIB = 1 << 20
EARLY = Refusal("a chunk of an upload that was aborted", True, 404, 1000, 1 << 30, 0.005)
LATE = replace(EARLY, early=False, promised_bytes=MIB)
MIDWAY = Midway(MIB // 2, MIB // 2)


def aftermath(
    kept: Kept | None = Kept.BYTES,
    held_bytes: int = 500,
    ending: Ending = Ending.FIN,
    *,
    finished: bool | None = True,
    check: Check = Check.RIGHT,
    notes: tuple[str, ...] = (),
) -> Aftermath:
    return Aftermath(Cut(Point.HALF, ending, 0.5), 1000, kept, held_bytes, 0.5, finished, 1, check, notes)


def findings(*aftermaths: Aftermath, protocol: type = Tus, **others: object) -> Findings:
    known = {
        "target_url": "http://127.0.0.1:1080/files",
        "protocol_name": protocol.__name__.lower(),
        "caps": protocol.caps,
        "grid": Grid(5 * MIB // 2, 5 * MIB // 2 if protocol is Put else MIB, fixed=protocol is not Tus),
        "uncut": Check.RIGHT,
        "aftermaths": aftermaths,
        "buffering": Buffering(EARLY, MIDWAY, sum(each.held_bytes > 0 for each in aftermaths), len(aftermaths)),
        "elapsed_s": 8.5,
    }
    return Findings(**{**known, **others})


LOST = aftermath(Kept.CHUNKS, 0)
CHUNKED, PUT = Chunked, Put
