from pathlib import Path

from upswarm.content.base import Content
from upswarm.content.random import Random
from upswarm.content.sparse import Sparse
from upswarm.testing.content import ContentContract


class TestSparse(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Sparse(scratch)


class TestRandom(ContentContract):
    def content(self, scratch: Path) -> Content:
        return Random(scratch)
