import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswarm import digests
from upswarm.content.base import VIEW_BYTES
from upswarm.content.sparse import Sparse

GiB = 1 << 30


@pytest.fixture
def opened(tmp_path):
    """Opens sparse files in a scratch directory; all of them are closed in the end."""
    files = []

    def open_file(size_bytes):
        files.append(Sparse(tmp_path).open("a.bin", size_bytes, seed=1))
        return files[-1]

    yield open_file
    for file in files:
        file.close()


def place_on_disk(file):
    """The file that a process holds open, by its descriptor; it has no name."""
    (found,) = [
        link
        for link in Path("/proc/self/fd").iterdir()
        if link.is_symlink() and _inode(link) == _inode(file._file.fileno())
    ]
    return found


def _inode(where):
    stat = os.stat(where)  # noqa: PTH116 (a descriptor or a link)
    return stat.st_dev, stat.st_ino


def test_it_is_a_real_file_of_its_size_that_takes_no_space(opened):
    file = opened(5 * GiB)
    stat = place_on_disk(file).stat()
    assert stat.st_size == 5 * GiB
    assert stat.st_blocks * 512 == file.allocated_bytes <= 4096


def test_sending_it_does_not_fill_it(opened):
    file = opened(64 * VIEW_BYTES)
    assert sum(map(len, file.views(0, 64 * VIEW_BYTES))) == 64 * VIEW_BYTES
    assert file.allocated_bytes <= 4096


def test_it_never_has_a_name_and_leaves_nothing_behind(tmp_path):
    with closing(Sparse(tmp_path).open("a.bin", GiB, seed=1)) as file:
        assert list(tmp_path.iterdir()) == []
        next(file.views(0, 10))
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


HOLDS = """
import sys, time
from pathlib import Path
from upswarm.content.sparse import Sparse
files = [Sparse(Path(sys.argv[1])).open(str(number), 10 << 30, number) for number in range(100)]
print("open", flush=True)
time.sleep(60)
"""


def test_a_hundred_of_10_gib_take_no_space_and_are_gone_when_who_has_them_is_killed(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path], stdout=subprocess.PIPE, text=True)
    with holder, holder.stdout:
        try:
            assert holder.stdout.readline() == "open\n"
            assert list(tmp_path.iterdir()) == []
            held = [each.stat() for each in Path(f"/proc/{holder.pid}/fd").iterdir()]
            sparse = [each.st_blocks for each in held if each.st_size == 10 * GiB]
        finally:
            holder.kill()
    assert (len(sparse), sum(sparse)) == (100, 0)
    assert list(tmp_path.iterdir()) == []


def test_it_stands_in_its_scratch_directory(opened, tmp_path):
    assert place_on_disk(opened(10)).stat().st_dev == tmp_path.stat().st_dev


def test_a_hole_is_sent_from_one_buffer_that_all_files_share(opened):
    views = [*opened(3 * VIEW_BYTES).views(0, 3 * VIEW_BYTES), *opened(100).views(10, 50)]
    assert len({id(view.obj) for view in views}) == 1
    assert all(view.readonly for view in views)


def test_data_that_somebody_wrote_into_the_middle_is_sent(opened):
    file = opened(3 * VIEW_BYTES)
    with place_on_disk(file).open("r+b") as same:
        same.seek(VIEW_BYTES + 5000)
        same.write(b"not a hole")
    expected = bytearray(3 * VIEW_BYTES)
    expected[VIEW_BYTES + 5000 : VIEW_BYTES + 5010] = b"not a hole"
    assert b"".join(file.views(0, 3 * VIEW_BYTES)) == expected
    assert b"".join(file.views(VIEW_BYTES + 4990, 30)) == expected[VIEW_BYTES + 4990 : VIEW_BYTES + 5020]


def test_a_digest_that_was_remembered_for_a_hole_is_not_given_for_data(opened):
    file = opened(VIEW_BYTES)
    of_zeros = file.digest("sha-256", 0, VIEW_BYTES)
    with place_on_disk(file).open("r+b") as same:
        same.write(b"data")
    assert file.digest("sha-256", 0, VIEW_BYTES) == digests.digest_of("sha-256", file.views(0, VIEW_BYTES)) != of_zeros


@settings(max_examples=40)
@given(
    writes=st.lists(st.tuples(st.integers(0, 3 * VIEW_BYTES - 1), st.integers(1, 9000)), max_size=4),
    span=st.tuples(st.integers(0, 3 * VIEW_BYTES), st.integers(0, 3 * VIEW_BYTES)).map(sorted),
)
def test_any_mixture_of_holes_and_data_is_sent_right(tmp_path_factory, writes, span):
    size_bytes, (start, end) = 3 * VIEW_BYTES, span
    expected = bytearray(size_bytes)
    with closing(Sparse(tmp_path_factory.getbasetemp()).open("a.bin", size_bytes, seed=1)) as file:
        for offset, length in writes:
            data = b"x" * min(length, size_bytes - offset)
            os.pwrite(file._file.fileno(), data, offset)
            expected[offset : offset + len(data)] = data
        views = list(file.views(start, end - start))
        assert all(0 < len(view) <= VIEW_BYTES for view in views)
        assert b"".join(views) == expected[start:end]
        assert file.digest("crc32c", start, end - start) == digests.digest_of("crc32c", [bytes(expected[start:end])])
