from pathlib import Path

from upswarm.content.base import VIEW_BYTES, Content
from upswarm.content.compressible import Compressible
from upswarm.content.corpus import Corpus
from upswarm.content.dedup import Dedup
from upswarm.content.random import Random, RandomFile
from upswarm.content.sparse import Sparse
from upswarm.testing.content import SIZE_BYTES, ContentContract


class TestSparse(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Sparse(scratch)


class TestRandom(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Random(scratch)


class TestCompressible(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Compressible(scratch, ratio=3)


class TestDedup(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Dedup(scratch, ratio=2.5, block_bytes=64 << 10)


class TestDedupInSmallBlocksOfAnOddSize(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Dedup(scratch, ratio=2, block_bytes=5003)


class TestDedupInBlocksLongerThanAView(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Dedup(scratch, ratio=2, block_bytes=VIEW_BYTES + 3)


def sample(folder: Path, size_bytes: int) -> Path:
    """A folder with one file, the same each time."""
    folder.mkdir()
    (folder / "sample").write_bytes(b"".join(RandomFile("", size_bytes, 9).views(0, size_bytes)))
    return folder


class TestCorpus(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Corpus(scratch, path=sample(scratch / "samples", SIZE_BYTES + 1))


class TestCorpusThatIsRepeated(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Corpus(scratch, path=sample(scratch / "samples", 70_001))


class TestCorpusOfAFewBytes(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Corpus(scratch, path=sample(scratch / "samples", 11))


class TestCorpusWithHoles(ContentContract):
    def content(self, scratch: Path) -> Content:
        folder = sample(scratch / "samples", 10_000)
        with (folder / "sample").open("r+b") as file:
            file.seek(VIEW_BYTES + 5000)
            file.write(b"behind a hole")
            file.truncate(SIZE_BYTES)
        return Corpus(scratch, path=folder)
