"""A file whose bytes end in a chunk's middle, because somebody has closed the lid: docs/design/interruptions.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upswarm.content.base import File
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.habits import Cut


class Outlet:
    """The bytes of an upload's file on their way out, through all of its lanes: counted, and cut where a cut is due.

    Whoever reads on where there is nothing more is answered with `Interrupted`. A transport takes that for the end of
    its connection, as it must with any exception in the middle of a body.
    """

    def __init__(self, file: File, cuts: Sequence[Cut] = (), sent_bytes: int = 0) -> None:
        self._file = file
        self._cuts = cuts
        self.name = file.name
        self.size_bytes = file.size_bytes
        self.sent_bytes = sent_bytes
        self.cut: Cut | None = None

    @property
    def allocated_bytes(self) -> int:
        """The file's."""
        return self._file.allocated_bytes

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        """The file's, as far as the next cut; what a transport has asked to go on after has been sent."""
        for view in self._file.views(offset, length):
            rest = view
            while rest:
                piece = rest[: self._room()]
                yield piece
                self.sent_bytes += len(piece)
                rest = rest[len(piece) :]
        self._room()

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """The file's, cut or not."""
        return self._file.digest(algorithm, offset, length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def reopen(self) -> None:
        """Whoever closed the lid is back."""
        self.cut = None

    def _room(self) -> int | None:
        """How many bytes may go out; None where nothing bounds them."""
        if self.cut is None and self._cuts and self.sent_bytes >= self._cuts[0].after_bytes:
            self.cut, *self._cuts = self._cuts
        if self.cut is not None:
            raise Interrupted(Failure.INTERRUPTED)
        return self._cuts[0].after_bytes - self.sent_bytes if self._cuts else None
