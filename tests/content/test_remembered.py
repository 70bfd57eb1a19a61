"""A digest is computed once: hashing takes time that would otherwise look like the server's."""

import threading
from contextlib import closing

import pytest

from upswarm import digests
from upswarm.content import remembered as memory
from upswarm.content.compressible import Compressible
from upswarm.content.corpus import Corpus
from upswarm.content.dedup import Dedup
from upswarm.content.random import Random
from upswarm.content.remembered import remembered
from upswarm.content.sparse import Sparse

MiB = 1 << 20


@pytest.fixture
def hashed(monkeypatch):
    """The algorithms of all digests that are computed from now on."""
    found, compute = [], digests.digest_of
    monkeypatch.setattr(memory, "_known", type(memory._known)())
    monkeypatch.setattr(
        digests, "digest_of", lambda algorithm, views: found.append(algorithm) or compute(algorithm, views)
    )
    return found


@pytest.fixture(params=["sparse", "random", "compressible", "dedup", "corpus"])
def content(request, tmp_path):
    (tmp_path / "sample").write_bytes(b"sample" * MiB)
    return {
        "sparse": lambda: Sparse(tmp_path),
        "random": lambda: Random(tmp_path),
        "compressible": lambda: Compressible(tmp_path, ratio=3),
        "dedup": lambda: Dedup(tmp_path, ratio=3, block_bytes=4096),
        "corpus": lambda: Corpus(tmp_path, path=tmp_path / "sample"),
    }[request.param]()


def test_a_chunk_of_a_file_is_hashed_once_for_each_algorithm(content, hashed):
    with closing(content.open("a", 4 * MiB, 1)) as file:
        for _ in range(3):
            found = [file.digest(algorithm, 777, 2 * MiB + 12_345) for algorithm in digests.ALGORITHMS]
    assert len(found) == 2
    assert sorted(hashed) == sorted(digests.ALGORITHMS)


def test_other_files_and_other_chunks_have_other_digests(content, hashed):
    with closing(content.open("a", 4 * MiB, 1)) as one, closing(content.open("b", 4 * MiB, 2)) as other:
        for file in (one, other):
            for offset, length in [(0, MiB), (5, MiB), (0, MiB - 1)]:
                expected = digests.digest_of("sha-256", file.views(offset, length))
                assert file.digest("sha-256", offset, length) == expected


def test_contents_that_differ_in_a_parameter_are_told_apart(tmp_path):
    contents = [Compressible(tmp_path, ratio=ratio) for ratio in (2, 3)]
    contents += [Dedup(tmp_path, ratio=ratio, block_bytes=block) for ratio in (2, 3) for block in (4096, 8192)]
    contents += [Random(tmp_path)]
    found = {each.open("a", MiB, 1).digest("sha-256", 4096, MiB - 4096) for each in contents}
    assert len(found) == len(contents)


def test_a_chunk_that_is_a_shared_block_is_hashed_once_for_all_files(tmp_path, hashed):
    content = Dedup(tmp_path, ratio=10, block_bytes=MiB)
    files = [content.open(str(seed), 10 * MiB, seed) for seed in range(20)]
    found = {file.digest("sha-256", number * MiB, MiB) for file in files for number in range(10)}
    assert len(found) == len(hashed) == 21


def test_the_same_file_of_a_corpus_is_hashed_once_for_all_uploads_of_it(tmp_path, hashed):
    (tmp_path / "sample").write_bytes(b"sample" * MiB)
    corpus = Corpus(tmp_path, path=tmp_path / "sample")
    for number in range(5):
        with closing(corpus.open(str(number), 6 * MiB, number)) as file:
            file.digest("crc32c", MiB, MiB)
    assert len(hashed) == 1


def test_what_was_not_asked_for_in_the_longest_time_is_forgotten(monkeypatch, hashed):
    monkeypatch.setattr(memory, "MOST", 3)
    asked = []
    for key in (1, 2, 3, 1, 4, 1, 2):
        remembered(key, lambda key=key: asked.append(key) or b"digest")
    assert asked == [1, 2, 3, 4, 2]
    assert len(memory._known) == 3


def test_who_asks_while_it_is_being_computed_waits_for_it(hashed):
    told, computed, begun, goes_on = [], [], threading.Event(), threading.Event()

    def compute():
        computed.append(1)
        begun.set()
        assert goes_on.wait(10)
        return b"digest"

    def ask():
        told.append(remembered("the same", compute))

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    assert begun.wait(10)
    second.start()
    second.join(0.1)  # by now it waits
    goes_on.set()
    for thread in (first, second):
        thread.join(10)
    assert (told, computed) == ([b"digest"] * 2, [1])
    assert memory._computing == {}


def test_what_could_not_be_computed_is_asked_for_again(hashed):
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remembered("again", fails)
    assert remembered("again", lambda: b"digest") == b"digest"
