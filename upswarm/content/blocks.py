"""Files that exist only as arithmetic: a row of blocks, made when somebody reads them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator

from upswarm import digests
from upswarm.content.base import VIEW_BYTES
from upswarm.content.remembered import remembered


class BlockFile(ABC):
    """A file of blocks of one size, of which the last may be cut off."""

    allocated_bytes = 0
    block_bytes = VIEW_BYTES

    def __init__(self, name: str, size_bytes: int) -> None:
        self.name = name
        self.size_bytes = size_bytes

    @abstractmethod
    def _block(self, number: int) -> Iterable[memoryview]:
        """The views of the block with this number, from 0; together they are as long as a block."""

    @abstractmethod
    def _identity(self, offset: int, length: int) -> Hashable:
        """What these bytes have in common with all others of this class that are the same."""

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        """Views of tags and pools, never a copy of either."""
        end = offset + length
        while offset < end:
            number, within = divmod(offset, self.block_bytes)
            for part in self._block(number):
                view = part[within : within + end - offset]
                within = max(0, within - len(part))
                if view:
                    yield view
                    offset += len(view)

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """Computed once, and remembered."""
        key = (type(self), self._identity(offset, length), algorithm)
        return remembered(key, lambda: digests.digest_of(algorithm, self.views(offset, length)))

    def close(self) -> None:  # noqa: B027 (whoever holds something says so)
        """Nothing is held."""
