"""Files cost no memory, however many are open and however long. `benchmarks/content_memory.py` shows it large."""

import tracemalloc
from contextlib import ExitStack, closing

import pytest

from upswarm.content.compressible import Compressible
from upswarm.content.corpus import Corpus
from upswarm.content.dedup import Dedup
from upswarm.content.random import Random, RandomFile
from upswarm.content.sparse import Sparse

KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30
A_FILE_BYTES = 4 * KiB


@pytest.fixture(params=["sparse", "random", "compressible", "dedup", "corpus"])
def content(request, tmp_path):
    (tmp_path / "sample").write_bytes(b"".join(RandomFile("", 2 * MiB, 1).views(0, 2 * MiB)))
    made = {
        "sparse": lambda: Sparse(tmp_path),
        "random": lambda: Random(tmp_path),
        "compressible": lambda: Compressible(tmp_path, ratio=3),
        "dedup": lambda: Dedup(tmp_path, ratio=3, block_bytes=64 * KiB),
        "corpus": lambda: Corpus(tmp_path, path=tmp_path / "sample"),
    }[request.param]()
    with closing(made.open("first", MiB, 1)) as file:
        list(file.views(0, MiB))  # pools are made for the first one, once
    return made


@pytest.fixture
def taken():
    """Bytes of Python's memory that are taken now, beyond those at the start."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()


@pytest.mark.parametrize("size_bytes", [MiB, 10 * GiB])
def test_an_open_file_that_is_being_read_takes_next_to_nothing(content, taken, size_bytes):
    with ExitStack() as stack:
        files = [stack.enter_context(closing(content.open(str(n), size_bytes, n))) for n in range(200)]
        under_way = [file.views(size_bytes // 2, size_bytes // 2) for file in files]
        views = [next(views) for views in under_way]
        assert len(views) == 200
        assert taken() < 200 * A_FILE_BYTES


def test_reading_a_file_takes_no_more_the_longer_it_is(content, taken):
    peaks = []
    for size_bytes in (2 * MiB, 64 * MiB):
        with closing(content.open("a", size_bytes, 1)) as file:
            tracemalloc.reset_peak()
            for _ in file.views(0, size_bytes):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
    assert peaks[1] - peaks[0] < 64 * KiB
