"""Bytes of which a deduplicator keeps one part in `ratio`, if its blocks have the size that was asked for.

A file's blocks are of two kinds. One in `ratio`, the first included, is the file's own and stands nowhere else. The
others repeat blocks that all files share: one of them at the beginning of a file, one more for every 64 own blocks, 16
at most. So of a file of n blocks a deduplicator keeps ⌈n / ratio⌉ and the few shared ones; of all files of a run, the
sum of their own and at most 16 shared ones. Each block by itself is as incompressible as random bytes.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from fractions import Fraction
from pathlib import Path

from upswarm.content import pool
from upswarm.content.base import VIEW_BYTES
from upswarm.content.blocks import BlockFile

SHARED_BLOCKS = 16
LEAST_BLOCK_BYTES = 512
_OWN_BLOCKS_PER_SHARED = 64
_SHARED_KEY = b"shared by all..."[: pool.KEY_BYTES]


class Dedup:
    """Files whose blocks are `ratio` times as many as the different ones among them."""

    def __init__(self, scratch: Path, *, ratio: float, block_bytes: int) -> None:
        """`ratio` is at least 1, blocks have at least 512 bytes. Nothing is written to the scratch directory."""
        if not 1 <= ratio < math.inf or block_bytes < LEAST_BLOCK_BYTES:
            raise ValueError(f"expected a ratio of at least 1 and blocks of at least {LEAST_BLOCK_BYTES} bytes")
        self._ratio = Fraction(ratio).limit_denominator(1000)
        self._block_bytes = block_bytes

    def open(self, name: str, size_bytes: int, seed: int) -> DedupFile:
        """A file of this size; its own blocks follow from the seed."""
        return DedupFile(name, size_bytes, seed, self._ratio, self._block_bytes)


class DedupFile(BlockFile):
    """A file of own and of shared blocks."""

    def __init__(self, name: str, size_bytes: int, seed: int, ratio: Fraction, block_bytes: int) -> None:
        super().__init__(name, size_bytes)
        self.block_bytes = block_bytes
        self._key = pool.key_of(seed)
        self._ratio = ratio

    def _block(self, number: int) -> Iterator[memoryview]:
        key, which = self._origin(number)
        pieces = -(-self.block_bytes // VIEW_BYTES)
        for piece in range(pieces):
            length = min(VIEW_BYTES, self.block_bytes - piece * VIEW_BYTES)
            yield from pool.block(pool.random_pool(), key, which * pieces + piece, length)

    def _identity(self, offset: int, length: int) -> Hashable:
        number, within = divmod(offset, self.block_bytes)
        if (
            within + length <= self.block_bytes
        ):  # a chunk that is (part of) a block: a shared one is hashed once for all
            return self.block_bytes, self._origin(number), within, length
        return self.block_bytes, self._ratio, self._key, offset, length

    def _origin(self, number: int) -> tuple[bytes, int]:
        """Whose block it is, the file's or everybody's, and the how-manieth of theirs."""
        own = self._own_before(number)
        if self._own_before(number + 1) > own:
            return self._key, own
        in_use = min(SHARED_BLOCKS, 1 + own // _OWN_BLOCKS_PER_SHARED)
        return _SHARED_KEY, (number - own) % in_use

    def _own_before(self, number: int) -> int:
        """⌈number / ratio⌉, without floating point: blocks may be very many."""
        return -(-number * self._ratio.denominator // self._ratio.numerator)
