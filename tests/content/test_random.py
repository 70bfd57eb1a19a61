import hashlib
from pathlib import Path

import pytest
import zstandard

from upswarm.content.base import VIEW_BYTES
from upswarm.content.pool import POOL_BYTES
from upswarm.content.random import Random


def read(seed, offset, length):
    return b"".join(Random(Path()).open("a.bin", offset + length, seed).views(offset, length))


def test_other_seeds_give_other_bytes_in_every_block():
    one, other = read(1, 0, 20 * VIEW_BYTES), read(2, 0, 20 * VIEW_BYTES)
    blocks = {bytes(each[n * VIEW_BYTES : (n + 1) * VIEW_BYTES]) for each in (one, other) for n in range(20)}
    assert len(blocks) == 40


def test_a_file_longer_than_the_pool_does_not_repeat_a_block():
    data = read(7, 0, 2 * POOL_BYTES)
    digests = {hashlib.sha256(data[at : at + VIEW_BYTES]).digest() for at in range(0, len(data), VIEW_BYTES)}
    assert len(digests) == 2 * POOL_BYTES // VIEW_BYTES


@pytest.mark.parametrize("level", [3, 9])
def test_the_bytes_do_not_compress_whatever_was_seen_before_them(level):
    data = read(7, 0, 2 * POOL_BYTES)
    assert len(zstandard.ZstdCompressor(level=level).compress(data)) > 0.99 * len(data)


def test_a_place_far_behind_costs_no_more_than_the_start():
    assert len(read(7, 1 << 50, 100)) == 100


def test_the_bytes_of_a_seed_are_the_same_on_every_machine():
    """Written down once: an audit compares digests across machines and releases."""
    assert (
        hashlib.sha256(read(7, 0, 2 * VIEW_BYTES)).hexdigest()
        == "1159674e4c078a8cd97c84924253ed3114a145f04ad935c297bb4dfab20c5fe8"
    )


def test_the_pool_is_sent_without_a_copy():
    views = list(Random(Path()).open("a.bin", 5 * VIEW_BYTES, 1).views(0, 5 * VIEW_BYTES))
    assert len({id(view.obj) for view in views if len(view) > 16}) == 1
    assert all(view.readonly for view in views)
