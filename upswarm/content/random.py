"""Random bytes: incompressible, different in every file, and readable at any offset without keeping or copying them.

A file is a row of blocks. Each block is a tag that belongs to this file and this block alone, followed by a window
into one pool of random bytes that all files share; the tag also says where in the pool the window lies. So a block
costs one small hash, no deduplicator of whole blocks finds two alike, and a compressor would have to look back
further than the pool is long to find the repetition.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from upswarm import digests
from upswarm.content.base import VIEW_BYTES

POOL_BYTES = 16 << 20
_TAG_BYTES = 16
_WINDOW_BYTES = VIEW_BYTES - _TAG_BYTES


class Random:
    """Files of random bytes."""

    def __init__(self, scratch: Path) -> None:
        """Nothing is written to the scratch directory."""

    def open(self, name: str, size_bytes: int, seed: int) -> RandomFile:
        """A file of this size whose bytes follow from the seed."""
        return RandomFile(name, size_bytes, seed)


class RandomFile:
    """A file that exists only as arithmetic over the pool."""

    def __init__(self, name: str, size_bytes: int, seed: int) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._key = seed.to_bytes(16, "big")

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        """Views of the tags and of the pool, never a copy of either."""
        end = offset + length
        while offset < end:
            block, within = divmod(offset, VIEW_BYTES)
            for part in self._block(block):
                view = part[within : within + end - offset]
                within = max(0, within - len(part))
                if view:
                    yield view
                    offset += len(view)

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """Computed from the views each time; the transfer keeps a chunk's digest for its retries."""
        return digests.digest_of(algorithm, self.views(offset, length))

    def close(self) -> None:
        """Nothing is held."""

    def _block(self, block: int) -> tuple[memoryview, memoryview]:
        tag = blake2b(block.to_bytes(8, "big"), key=self._key, digest_size=_TAG_BYTES).digest()
        start = int.from_bytes(tag[:8], "big") % (POOL_BYTES - _WINDOW_BYTES)
        return memoryview(tag), _pool()[start : start + _WINDOW_BYTES]


@lru_cache(maxsize=1)
def _pool() -> memoryview:
    return memoryview(random.Random("upswarm").randbytes(POOL_BYTES))
