"""What every content must keep. Subclass the contract, say which content, and pytest or unittest runs it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path

from upswarm import digests
from upswarm.content.base import VIEW_BYTES, Content, File

SIZE_BYTES = 2 * VIEW_BYTES + 7
_EDGES = (0, 1, 15, 16, 17, 4095, 4096, VIEW_BYTES - 1, VIEW_BYTES, VIEW_BYTES + 1, 2 * VIEW_BYTES, SIZE_BYTES)
_SPANS = [(start, end) for start in _EDGES for end in _EDGES if start <= end]


class ContentContract:
    """Claims about a `Content` and its files; `content` is to be overridden."""

    def content(self, scratch: Path) -> Content:
        """The content under test, with a scratch directory of its own."""
        raise NotImplementedError

    def test_a_file_knows_its_name_and_its_exact_size(self) -> None:
        """Also when it is empty."""
        for size_bytes in (0, 1, SIZE_BYTES):
            with self._file(size_bytes) as file:
                assert (file.name, file.size_bytes) == ("a.bin", size_bytes)
                assert len(_read(file, 0, size_bytes)) == size_bytes

    def test_any_range_has_exactly_the_bytes_of_the_whole(self) -> None:
        """Reading in pieces equals reading at once, whatever the pieces are."""
        with self._file() as file:
            whole = _read(file, 0, SIZE_BYTES)
            for start, end in _SPANS:
                assert _read(file, start, end - start) == whole[start:end], (start, end)

    def test_no_view_is_empty_or_longer_than_a_view_may_be(self) -> None:
        """A transport sends view by view, so an empty one would be a wasted call and a long one a long stall."""
        with self._file() as file:
            for start, end in _SPANS:
                lengths = [len(view) for view in file.views(start, end - start)]
                assert all(0 < length <= VIEW_BYTES for length in lengths), (start, end, lengths)

    def test_a_range_can_be_read_again(self) -> None:
        """A retry needs the same bytes, also while an earlier reading has not come to its end."""
        with self._file() as file:
            begun = file.views(0, SIZE_BYTES)
            next(begun)
            assert _read(file, 5, VIEW_BYTES) == _read(file, 5, VIEW_BYTES)

    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        """On another worker too, which has a scratch directory of its own."""
        with self._file(seed=5) as one, self._file(seed=5) as other:
            assert _read(one, 0, SIZE_BYTES) == _read(other, 0, SIZE_BYTES)

    def test_every_seed_of_a_draw_is_taken(self) -> None:
        """`Mix.draw` gives seeds of up to 127 bits."""
        for seed in (0, 2**127 - 1):
            with self._file(1, seed) as file:
                assert len(_read(file, 0, 1)) == 1

    def test_a_digest_is_that_of_the_bytes(self) -> None:
        """For every algorithm, and again once it may have been remembered."""
        with self._file() as file:
            for start, end in [*_SPANS[::7], *_SPANS[::7]]:
                data = _read(file, start, end - start)
                assert file.digest("sha-256", start, end - start) == hashlib.sha256(data).digest(), (start, end)
                for algorithm in digests.ALGORITHMS:
                    assert file.digest(algorithm, start, end - start) == digests.digest_of(algorithm, [data])

    def test_files_that_are_read_in_turns_do_not_disturb_each_other(self) -> None:
        """All users of a worker share one content."""
        with tempfile.TemporaryDirectory() as scratch:
            content = self.content(Path(scratch))
            with closing(content.open("a", SIZE_BYTES, 1)) as one, closing(content.open("b", SIZE_BYTES, 2)) as other:
                apart = [_read(one, 0, SIZE_BYTES), _read(other, 0, SIZE_BYTES)]
                turns = zip_longest(one.views(0, SIZE_BYTES), other.views(0, SIZE_BYTES), fillvalue=b"")
                assert [b"".join(views) for views in zip(*turns, strict=True)] == apart

    def test_a_closed_file_leaves_nothing_open_and_nothing_on_disk(self) -> None:
        """A run opens more files than a process may have open at a time. What all share comes with the first."""
        with tempfile.TemporaryDirectory() as scratch:
            content = self.content(Path(scratch))
            with closing(content.open("first.bin", SIZE_BYTES, 8)) as first:
                _read(first, 0, SIZE_BYTES)
            before = _open_descriptors(), sorted(Path(scratch).rglob("*"))
            for seed in range(8):
                with closing(content.open("a.bin", SIZE_BYTES, seed)) as file:
                    file.digest("sha-256", 0, len(_read(file, 0, SIZE_BYTES)))
            assert (_open_descriptors(), sorted(Path(scratch).rglob("*"))) == before

    def test_a_file_says_what_it_takes_on_disk(self) -> None:
        """As little as nothing, but never less."""
        with self._file() as file:
            assert file.allocated_bytes >= 0

    def test_a_file_can_be_closed_twice(self) -> None:
        """Whoever cleans up need not know who cleaned up before."""
        with self._file() as file:
            file.close()

    @contextmanager
    def _file(self, size_bytes: int = SIZE_BYTES, seed: int = 1) -> Iterator[File]:
        with tempfile.TemporaryDirectory() as scratch:
            file = self.content(Path(scratch)).open("a.bin", size_bytes, seed)
            try:
                yield file
            finally:
                file.close()


def _open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 (how many, not which)


def _read(file: File, offset: int, length: int) -> bytes:
    return b"".join(file.views(offset, length))
