import gc
import hashlib
import os
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswarm import digests
from upswarm.content import mapped
from upswarm.content.base import VIEW_BYTES
from upswarm.content.corpus import Corpus, samples
from upswarm.content.random import RandomFile
from upswarm.content.shared import place_of
from upswarm.errors import UsageError

MiB = 1 << 20


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "samples"
    path.mkdir()
    return path


def data_of(size_bytes, seed=1):
    return b"".join(RandomFile("", size_bytes, seed).views(0, size_bytes))


def read(corpus, size_bytes, seed=0):
    with closing(corpus.open("a.bin", size_bytes, seed)) as file:
        return b"".join(file.views(0, size_bytes))


def test_a_single_file_is_a_corpus(folder, tmp_path):
    (folder / "one").write_bytes(b"one")
    assert read(Corpus(tmp_path, path=folder / "one"), 3) == b"one"


def test_files_at_any_depth_belong_to_it_but_hidden_and_empty_ones_do_not(folder):
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("b", "a", "deep/er/c", ".hidden", ".git/config"):
        (folder / name).write_bytes(b"x")
    (folder / "empty").touch()
    assert [each.path.relative_to(folder).as_posix() for each in samples(folder)] == ["a", "b", "deep/er/c"]


def test_the_seed_chooses_and_every_file_is_chosen(folder, tmp_path):
    for name in "abc":
        (folder / name).write_bytes(name.encode())
    corpus = Corpus(tmp_path, path=folder)
    assert [read(corpus, 1, seed) for seed in range(5)] == [b"a", b"b", b"c", b"a", b"b"]


def test_a_sample_is_cut_or_repeated_to_the_size_that_was_drawn(folder, tmp_path):
    sample = data_of(100_000)
    (folder / "a").write_bytes(sample)
    corpus = Corpus(tmp_path, path=folder)
    assert read(corpus, 99_999) == sample[:-1]
    assert read(corpus, 250_000) == (sample * 3)[:250_000]


def test_with_own_sizes_the_sample_of_that_size_is_taken_whole(folder, tmp_path):
    for name, data in {"a": b"1", "b": b"22", "c": b"33"}.items():
        (folder / name).write_bytes(data)
    corpus = Corpus(tmp_path, path=folder, own_sizes=True)
    assert [read(corpus, 2, seed) for seed in range(3)] == [b"22", b"33", b"22"]
    assert read(corpus, 1, seed=5) == b"1"


def test_an_own_size_that_no_sample_has_says_why_that_may_be(folder, tmp_path):
    (folder / "a").write_bytes(b"1")
    with pytest.raises(UsageError, match=r"expected a file of 2 bytes in the corpus, found none\n  give every worker"):
        Corpus(tmp_path, path=folder, own_sizes=True).open("a.bin", 2, 0)


def test_data_is_views_of_the_page_cache_and_short_samples_are_not_sent_byte_by_byte(folder, tmp_path):
    (folder / "large").write_bytes(data_of(3 * MiB))
    (folder / "short").write_bytes(b"0123456789")
    corpus = Corpus(tmp_path, path=folder)
    with closing(corpus.open("a", 3 * MiB, 0)) as large, closing(corpus.open("b", MiB, 1)) as short:
        assert {type(view.obj).__name__ for view in large.views(0, 3 * MiB)} == {"mmap"}
        views = list(short.views(0, MiB))
        assert b"".join(views) == (b"0123456789" * MiB)[:MiB]
        assert len(views) < 100


def sparse(path, size_bytes, writes):
    """A file with data at these places, and the bytes that it has."""
    expected = bytearray(size_bytes)
    with path.open("wb") as file:
        file.truncate(size_bytes)
        for offset, data in writes:
            os.pwrite(file.fileno(), data, offset)
            expected[offset : offset + len(data)] = data
    return bytes(expected)


def test_holes_are_sent_from_one_buffer_and_never_read(folder, tmp_path):
    sparse(folder / "disk.img", 64 * MiB, [(0, b"boot"), (63 * MiB, b"end")])
    with closing(Corpus(tmp_path, path=folder).open("a", 64 * MiB, 0)) as file:
        views = list(file.views(0, 64 * MiB))
        mapped_bytes = sum(len(view) for view in views if type(view.obj).__name__ == "mmap")
        assert mapped_bytes <= 128 << 10
        assert len({id(view.obj) for view in views if place_of(view)}) == 1
        assert file.size_bytes == 64 * MiB
        assert 0 < file.allocated_bytes <= 128 << 10


def test_the_digest_of_a_hole_is_not_computed_again_for_each_file(folder, tmp_path, monkeypatch):
    sparse(folder / "disk.img", 64 * MiB, [(0, b"boot")])
    corpus = Corpus(tmp_path, path=folder)
    with closing(corpus.open("a", 64 * MiB, 0)) as one, closing(corpus.open("b", 64 * MiB, 0)) as other:
        first = one.digest("sha-256", 32 * MiB, 5 * MiB)
        monkeypatch.setattr(digests, "digest_of", None)
        assert other.digest("sha-256", 40 * MiB, 5 * MiB) == first == hashlib.sha256(bytes(5 * MiB)).digest()


@settings(max_examples=30)
@given(
    writes=st.lists(st.tuples(st.integers(0, 300_000), st.binary(min_size=1, max_size=9000)), max_size=4),
    span=st.tuples(st.integers(0, 900_000), st.integers(0, 900_000)).map(sorted),
)
def test_any_mixture_of_holes_and_data_is_sent_right_also_repeatedly(tmp_path_factory, writes, span):
    path, (start, end) = tmp_path_factory.getbasetemp() / "mixture", span
    expected = sparse(path, 310_000, writes) * 3
    with closing(Corpus(Path(), path=path).open("a.bin", 900_000, 0)) as file:
        views = list(file.views(start, end - start))
        assert all(0 < len(view) <= VIEW_BYTES for view in views)
        assert b"".join(views) == expected[start:end]
        assert file.digest("crc32c", start, end - start) == digests.digest_of("crc32c", [expected[start:end]])


def test_a_repetition_is_not_hashed_again(folder, tmp_path, monkeypatch):
    (folder / "a").write_bytes(data_of(100_000))
    with closing(Corpus(tmp_path, path=folder).open("a", MiB, 0)) as file:
        first = file.digest("sha-256", 50, 250_000)
        monkeypatch.setattr(digests, "digest_of", None)
        assert file.digest("sha-256", 300_050, 250_000) == first


def test_where_the_data_of_a_file_ends_is_looked_up_once(folder, tmp_path, monkeypatch):
    """On tmpfs each page is looked at for that, which takes longer than sending a chunk."""
    (folder / "a").write_bytes(data_of(4 * MiB))
    asked, lseek = [], os.lseek
    monkeypatch.setattr(os, "lseek", lambda fd, *where: asked.append(fd) or lseek(fd, *where))
    with closing(Corpus(tmp_path, path=folder).open("a", 4 * MiB, 0)) as file:
        for offset in range(0, 4 * MiB, MiB):
            assert len(list(file.views(offset, MiB))) == 4
            file.digest("sha-256", offset, MiB)
    assert len(asked) == 2  # for its beginning and its end


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_thousand_files_of_one_sample_open_it_once(folder, tmp_path):
    (folder / "a").write_bytes(data_of(MiB))
    corpus, before = Corpus(tmp_path, path=folder), open_files()
    with ExitStack() as stack:
        files = [stack.enter_context(closing(corpus.open(str(n), 5 * MiB, n))) for n in range(1000)]
        assert open_files() - before <= 2
        assert len({id(next(file.views(0, 10)).obj) for file in files}) == 1
    del files
    assert open_files() == before
    assert gc.isenabled()


def test_a_file_that_is_being_read_outlives_the_closing_of_others(folder, tmp_path):
    sample = data_of(MiB)
    (folder / "a").write_bytes(sample)
    corpus = Corpus(tmp_path, path=folder)
    one, other = corpus.open("a", MiB, 0), corpus.open("b", MiB, 0)
    views = one.views(0, MiB)
    begun = bytes(next(views))
    other.close()
    one.close()
    assert begun + b"".join(views) == sample
    with pytest.raises(ValueError, match="expected a to be open, it has been closed"):
        next(one.views(0, 1))


def test_a_sample_that_shrank_is_a_sentence_and_no_sigbus(folder, tmp_path):
    (folder / "a").write_bytes(data_of(3 * MiB))
    with closing(Corpus(tmp_path, path=folder).open("a", 3 * MiB, 0)) as file:
        os.truncate(folder / "a", MiB)
        sentence = r"to keep its 3145728 bytes, found 1048576\n  leave the corpus alone"
        for offset in (0, 2 * MiB):
            with pytest.raises(UsageError, match=sentence):
                file.digest("sha-256", offset, MiB)
            with pytest.raises(UsageError, match=sentence):
                next(file.views(offset, MiB))


def test_a_short_sample_that_shrank_is_no_sigbus_either(folder, tmp_path):
    (folder / "a").write_bytes(b"0123456789")
    with closing(Corpus(tmp_path, path=folder).open("a", MiB, 0)) as file:
        os.truncate(folder / "a", 0)
        with pytest.raises(UsageError, match="to keep its 10 bytes, found 0"):
            next(file.views(0, MiB))


def test_a_sample_that_shrinks_while_it_is_sent_is_noticed_at_the_next_view(folder, tmp_path):
    (folder / "a").write_bytes(data_of(3 * MiB))
    with closing(Corpus(tmp_path, path=folder).open("a", 3 * MiB, 0)) as file:
        views = file.views(0, 3 * MiB)
        next(views)
        os.truncate(folder / "a", MiB)
        with pytest.raises(UsageError, match="to keep its 3145728 bytes"):
            next(views)


def test_a_sample_that_was_written_to_is_hashed_again(folder, tmp_path):
    (folder / "a").write_bytes(bytes(1) + data_of(MiB))
    with closing(Corpus(tmp_path, path=folder).open("a", MiB, 0)) as file:
        before = file.digest("sha-256", 0, 100)
        os.utime(folder / "a", (1, 1))
        with (folder / "a").open("r+b") as same:
            same.write(b"other")
        assert file.digest("sha-256", 0, 100) == digests.digest_of("sha-256", file.views(0, 100)) != before


def test_pages_that_were_sent_are_let_go(folder, tmp_path):
    (folder / "a").write_bytes(data_of(16 * MiB))
    with closing(Corpus(tmp_path, path=folder).open("a", 16 * MiB, 0)) as file:
        assert file.digest("sha-256", 0, 16 * MiB)
        resident = resident_bytes_of(folder / "a")
        assert resident <= mapped._STEP_BYTES


def resident_bytes_of(path):
    """How much of a mapped file counts as this process's memory."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    rss = [next(line for line in lines if line.startswith("Rss:")) for line in lines if line.endswith(f" {path}")]
    assert rss
    return sum(int(line.split()[1]) << 10 for line in rss)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "expected a file or a folder at {path}, found nothing"),
        (lambda path: path.mkdir(), "expected at least one file with bytes in it at {path}, found none"),
        (lambda path: path.touch(), "expected at least one file with bytes in it at {path}, found none"),
        (os.mkfifo, "expected a file or a folder at {path}, found neither"),
    ],
)
def test_a_corpus_without_a_file_is_refused(tmp_path, make, message):
    path = tmp_path / "samples"
    make(path)
    with pytest.raises(UsageError) as caught:
        Corpus(tmp_path, path=path)
    assert caught.value.message == message.format(path=path)
