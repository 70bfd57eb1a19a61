"""What a probe has found, and what it comes to: a word, sentences and an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upswarm.errors import EXIT_OK, EXIT_THRESHOLD, EXIT_USAGE
from upswarm.probing.aftermath import Aftermath, Check, Kept
from upswarm.probing.buffering import Buffering
from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import Caps


class Keeping(StrEnum):
    """What a target keeps of an upload that is cut."""

    ALL_BYTES = "keeps a cut chunk's bytes"
    SOME_BYTES = "keeps a cut chunk's bytes sometimes"
    CHUNKS = "loses the cut chunk"
    LESS = "loses acknowledged bytes"
    MORE = "claims bytes that were never sent"
    UNTOLD = "can't be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that was seen. `uncut` is the check of a file without a cut; for `left_out` cuts there was no time.

    `digest` is the algorithm of the digest that each chunk carried, or None.
    """

    target_url: str
    protocol_name: str
    caps: Caps
    grid: Grid
    uncut: Check
    aftermaths: tuple[Aftermath, ...]
    buffering: Buffering
    left_out: int = 0
    notes: tuple[str, ...] = ()
    elapsed_s: float = 0.0
    digest: str | None = None

    @property
    def told(self) -> list[Aftermath]:
        """Those of which it is known what was held."""
        return [each for each in self.aftermaths if each.kept is not None]

    @property
    def keeping(self) -> Keeping:
        """The worst that was seen."""
        seen = {each.kept for each in self.told}
        for kept, worst in ((Kept.MORE, Keeping.MORE), (Kept.LESS, Keeping.LESS)):
            if kept in seen:
                return worst
        if Kept.BYTES in seen:
            return Keeping.SOME_BYTES if Kept.CHUNKS in seen else Keeping.ALL_BYTES
        return Keeping.CHUNKS if seen else Keeping.UNTOLD

    @property
    def finished(self) -> int:
        """How many uploads came to their end after the cut."""
        return sum(each.finished is True for each in self.aftermaths)

    @property
    def unfinished(self) -> int:
        """How many did not, although they could have."""
        return sum(each.finished is False for each in self.aftermaths)

    @property
    def exit_code(self) -> int:
        """0 if uploads go on without loss, 3 if not, 2 if that can't be told of any."""
        wrong = any(each.check is Check.WRONG for each in self.aftermaths) or self.uncut is Check.WRONG
        if wrong or self.unfinished or self.keeping in {Keeping.LESS, Keeping.MORE}:
            return EXIT_THRESHOLD
        return EXIT_OK if self.finished and (self.told or not self.caps.resumes) else EXIT_USAGE
