"""Nothing was kept of what was sent: a file follows from the scenario and its number, and is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from upswarm.audit.examiner import Unmade
from upswarm.audit.ledger import Entry
from upswarm.content.base import File
from upswarm.errors import UpswarmError
from upswarm.transfer.originals import Originals
from upswarm.workload.mix import Mix


def remade(build_mix: Callable[[], Mix]) -> Callable[[Entry], File]:
    """What makes files of a mix again; a corpus may be missing on this machine, which makes them `Unmade`."""
    originals = Originals()
    mixes: list[Mix] = []

    def original(entry: Entry) -> File:
        if entry.number is None:
            raise Unmade("a file of somebody else's making can't be made again")
        try:
            if not mixes:
                mixes.append(build_mix())
            draw = replace(mixes[0].draw(entry.number), size_bytes=entry.size_bytes)
            return originals.open(entry.file_name, draw)
        except (UpswarmError, OSError, ValueError) as error:
            raise Unmade(f"the bytes that were sent can't be made again here: {error}") from error

    return original
