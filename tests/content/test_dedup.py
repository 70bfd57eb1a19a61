import hashlib
from collections import Counter
from math import ceil, floor
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from upswarm.content.dedup import SHARED_BLOCKS, Dedup

KiB, MiB = 1 << 10, 1 << 20


def read(file):
    return b"".join(file.views(0, file.size_bytes))


def blocks(data, block_bytes):
    """What a deduplicator with aligned blocks tells apart, in order."""
    return [hashlib.blake2b(data[at : at + block_bytes]).digest() for at in range(0, len(data), block_bytes)]


def files(ratio, block_bytes, size_bytes, seeds):
    content = Dedup(Path(), ratio=ratio, block_bytes=block_bytes)
    return [blocks(read(content.open("a.bin", size_bytes, seed)), block_bytes) for seed in seeds]


@pytest.mark.parametrize("ratio", [1, 1.5, 2, 4, 10])
def test_a_deduplicator_keeps_one_block_in_ratio_of_a_file_and_the_shared_ones(ratio):
    (file,) = files(ratio, 8 * KiB, 32 * MiB, [1])
    own = ceil(len(file) / ratio)
    assert own <= len(set(file)) <= own + SHARED_BLOCKS
    assert len(file) / len(set(file)) == pytest.approx(ratio, rel=0.05)


@pytest.mark.parametrize("ratio", [1, 1.5, 4, 10])
def test_of_all_files_of_a_run_it_keeps_their_own_blocks_and_the_shared_ones_once(ratio):
    run = files(ratio, 8 * KiB, 4 * MiB, range(12))
    kept = len(set().union(*run))
    own = 12 * ceil(len(run[0]) / ratio)
    assert own <= kept <= own + SHARED_BLOCKS
    assert sum(map(len, run)) / kept == pytest.approx(ratio, rel=0.05)


def test_files_of_every_pair_share_blocks():
    one, other = files(4, 64 * KiB, 4 * MiB, [1, 2])
    assert set(one) & set(other)


def test_every_file_has_blocks_of_its_own_and_its_first_is_one():
    one, other = files(1000, 64 * KiB, MiB, [1, 2])
    assert one[0] != other[0]


@settings(max_examples=30)
@given(
    ratio=st.fractions(1, 50, max_denominator=20).map(float),
    block_bytes=st.integers(512, 5000),
    sizes=st.lists(st.integers(0, 200_000), min_size=1, max_size=4),
)
def test_the_promise_holds_for_any_ratio_block_and_sizes(ratio, block_bytes, sizes):
    content = Dedup(Path(), ratio=ratio, block_bytes=block_bytes)
    run = [blocks(read(content.open("a", size, seed))[: size - size % block_bytes], block_bytes)
           for seed, size in enumerate(sizes)]  # fmt: skip
    own = sum(ceil(len(file) / ratio - 1e-9) for file in run)
    assert own <= len(set().union(*run)) <= own + SHARED_BLOCKS


@settings(max_examples=30)
@given(ratio=st.fractions(1, 10, max_denominator=20).map(float), more=st.integers(0, 3000))
def test_a_file_of_40_own_blocks_is_near_its_ratio_whatever_its_length(ratio, more):
    (file,) = files(ratio, 512, 512 * (floor(39 * ratio) + 1 + more), [1])
    assert len(file) / len(set(file)) == pytest.approx(ratio, rel=0.05)


def test_blocks_of_another_size_are_not_deduplicated():
    """The ratio is for the block that was asked for: twice as long ones hold an own block more often."""
    data = read(Dedup(Path(), ratio=2, block_bytes=64 * KiB).open("a", 32 * MiB, 1))
    found = blocks(data, 128 * KiB)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("block_bytes", [4 * KiB, 64 * KiB, 3 * MiB])
def test_what_is_kept_does_not_compress(block_bytes):
    data = read(Dedup(Path(), ratio=4, block_bytes=block_bytes).open("a", 30 * MiB, 1))
    counts = Counter(data[at : at + block_bytes] for at in range(0, len(data), block_bytes))
    compress = zstandard.ZstdCompressor(level=3).compress
    own = b"".join(block for block, count in counts.items() if count == 1)
    assert len(own) > len(data) / 5
    assert len(compress(own)) > 0.99 * len(own)
    assert all(len(compress(block)) > 0.99 * len(block) for block in [*counts][:50])


def test_a_place_far_behind_costs_no_more_than_the_start():
    file = Dedup(Path(), ratio=2.5, block_bytes=64 * KiB).open("a", 1 << 60, 1)
    assert sum(map(len, file.views(1 << 50, 100))) == 100


def test_nothing_but_tags_is_made_for_a_file():
    file = Dedup(Path(), ratio=4, block_bytes=64 * KiB).open("a.bin", 8 * MiB, 1)
    assert len({id(view.obj) for view in file.views(0, 8 * MiB) if len(view) > 16}) == 1


@pytest.mark.parametrize(("ratio", "block_bytes"), [(0.5, 4096), (2, 511), (float("nan"), 4096)])
def test_what_cannot_be_is_refused(ratio, block_bytes):
    with pytest.raises(ValueError, match="expected a ratio of at least 1 and blocks of at least 512 bytes"):
        Dedup(Path(), ratio=ratio, block_bytes=block_bytes)


def test_the_bytes_of_a_seed_are_the_same_on_every_machine():
    """Written down once: an audit compares digests across machines and releases."""
    file = Dedup(Path(), ratio=3, block_bytes=64 * KiB).open("a.bin", 2 * MiB, 7)
    assert hashlib.sha256(read(file)).hexdigest() == "e4647b88021a280c1cc884ee52ef84872023f13df3d04e8222fda5b223489811"
