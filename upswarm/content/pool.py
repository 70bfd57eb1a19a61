"""The random bytes that files share: one pool of which they show windows, each behind a tag that is its own.

A window costs one small hash and no copy. Windows that follow one another lie in different regions of their pool, so
that a compressor which looks back less than 7 MiB finds nothing twice; zstd at level 3 looks back 2 MiB.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

from upswarm.content.shared import shared

POOL_BYTES = 16 << 20
TAG_BYTES = 16
KEY_BYTES = 16


def key_of(seed: int) -> bytes:
    """The key of a file, from a seed of up to 127 bits."""
    return seed.to_bytes(KEY_BYTES, "big")


def block(pool: memoryview, key: bytes, number: int, length: int) -> Iterator[memoryview]:
    """The views of a block of `length` bytes, at most `VIEW_BYTES`: its tag, and a window that the tag decides."""
    tag = blake2b(number.to_bytes(8, "big"), key=key, digest_size=TAG_BYTES).digest()
    yield memoryview(tag)[:length]
    if length > TAG_BYTES:
        start = _start(number + key[-1], int.from_bytes(tag[:8], "big"), length)
        yield pool[start : start + length - TAG_BYTES]


def _start(turn: int, dice: int, length: int) -> int:
    """Anywhere in the first half of the region whose turn it is; a region is as long as two windows."""
    regions = POOL_BYTES // (2 * length)
    return turn % regions * 2 * length + dice % length


@lru_cache(maxsize=1)
def random_pool() -> memoryview:
    """The pool itself, the same on every machine."""
    return shared(random.Random("upswarm").randbytes(POOL_BYTES))
