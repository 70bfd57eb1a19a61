"""Random bytes: incompressible, different in every file, and readable at any offset without keeping or copying them.

A file is a row of blocks. Each block is a tag that belongs to this file and this block alone, followed by a window
into one pool of random bytes that all files share (`pool.py`). So no deduplicator of whole blocks finds two alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path

from upswarm.content import pool
from upswarm.content.blocks import BlockFile


class Random:
    """Files of random bytes."""

    def __init__(self, scratch: Path) -> None:
        """Nothing is written to the scratch directory."""

    def open(self, name: str, size_bytes: int, seed: int) -> RandomFile:
        """A file of this size whose bytes follow from the seed."""
        return RandomFile(name, size_bytes, seed)


class RandomFile(BlockFile):
    """A file of random bytes."""

    def __init__(self, name: str, size_bytes: int, seed: int) -> None:
        super().__init__(name, size_bytes)
        self._key = pool.key_of(seed)

    def _block(self, number: int) -> Iterator[memoryview]:
        return pool.block(pool.random_pool(), self._key, number, self.block_bytes)

    def _identity(self, offset: int, length: int) -> Hashable:
        return self._key, offset, length
