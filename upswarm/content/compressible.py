"""Bytes that compress by a ratio: a few random ones, then zeros, again and again.

A pool is made of cells of 4 KiB. Each begins with as many random bytes as the compressor may keep, the rest is zeros;
so whatever is cut out of it, if it is longer than a cell, holds random bytes: no block of 4 KiB is all zeros, which
servers and disks leave out, and none is like another. Files show windows into this pool behind tags of their own, as
random ones do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache
from pathlib import Path

from upswarm.content import pool
from upswarm.content.blocks import BlockFile
from upswarm.content.shared import shared

MOST_RATIO = 100
"""Beyond it a cell would hold less of the random bytes than of what a compressor says about them."""
_CELL_BYTES = 4096
_SAID_BYTES = 4  # what zstd needs, beside the random bytes, to say that zeros follow


class Compressible:
    """Files whose size divided by their compressed size is `ratio`, for zstd at level 3, within 5 % from 1 MiB on."""

    def __init__(self, scratch: Path, *, ratio: float) -> None:
        """`ratio` is from 1 to `MOST_RATIO`. Nothing is written to the scratch directory."""
        if not 1 <= ratio <= MOST_RATIO:
            raise ValueError(f"expected a ratio from 1 to {MOST_RATIO}, found {ratio!r}")
        self._random_bytes = _CELL_BYTES if ratio == 1 else round(_CELL_BYTES / ratio - _SAID_BYTES)

    def open(self, name: str, size_bytes: int, seed: int) -> CompressibleFile:
        """A file of this size whose bytes follow from the seed."""
        return CompressibleFile(name, size_bytes, seed, self._random_bytes)


class CompressibleFile(BlockFile):
    """A file in which each 4 KiB hold so many random bytes."""

    def __init__(self, name: str, size_bytes: int, seed: int, random_bytes: int) -> None:
        super().__init__(name, size_bytes)
        self._key = pool.key_of(seed)
        self._random_bytes = random_bytes
        self._pool = _pool(random_bytes)

    def _block(self, number: int) -> Iterator[memoryview]:
        return pool.block(self._pool, self._key, number, self.block_bytes)

    def _identity(self, offset: int, length: int) -> Hashable:
        return self._random_bytes, self._key, offset, length


@lru_cache(maxsize=4)
def _pool(random_bytes: int) -> memoryview:
    mixed, source = bytearray(pool.POOL_BYTES), pool.random_pool()
    for start in range(0, len(mixed), _CELL_BYTES):
        mixed[start : start + random_bytes] = source[start : start + random_bytes]
    return shared(mixed)
