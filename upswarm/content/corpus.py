"""Real files: those of a folder, or one. They are sent as the page cache has them, and holes in them are not read.

Which of them a file of the run is, follows from its seed. It is as long as the sample itself (`own_sizes`), or the
sample is cut, or repeated from its beginning, to the size that was drawn. All files that show the same sample share one
mapping; a view's pages are let go once it was sent, so even a sample of many GiB takes no memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from upswarm import digests
from upswarm.content.holes import digest_of_zeros
from upswarm.content.mapped import Mapped
from upswarm.content.remembered import remembered
from upswarm.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of the corpus."""

    path: Path
    size_bytes: int


def samples(path: Path) -> tuple[Sample, ...]:
    """The file, or those at any depth of the folder but hidden and empty ones, in the order of their paths.

    Raises `UsageError` where there is none.
    """
    if not (path.is_dir() or path.is_file()):
        raise UsageError(f"expected a file or a folder at {path}, found {'neither' if path.exists() else 'nothing'}")
    paths = sorted(filter(Path.is_file, _visible_below(path))) if path.is_dir() else [path]
    found = tuple(Sample(each, size_bytes) for each in paths if (size_bytes := each.stat().st_size))
    if not found:
        raise UsageError(f"expected at least one file with bytes in it at {path}, found none")
    for each in found:
        if not os.access(each.path, os.R_OK):
            raise UsageError(f"expected to be allowed to read {each.path}")
    return found


def _visible_below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


class Corpus:
    """Files that are those of a folder, or one file again and again."""

    def __init__(self, scratch: Path, *, path: str | Path, own_sizes: bool = False) -> None:
        """With `own_sizes` only sizes are asked for that samples have. Nothing is written to the scratch directory."""
        self._samples = samples(Path(path))
        self._by_size = _by_size(self._samples) if own_sizes else None
        self._mapped: WeakValueDictionary[Sample, Mapped] = WeakValueDictionary()

    def open(self, name: str, size_bytes: int, seed: int) -> CorpusFile:
        """The sample that the seed chooses, at this size."""
        sample = self._choose(size_bytes, seed)
        mapped = self._mapped.get(sample)
        if mapped is None:
            mapped = self._mapped[sample] = Mapped(sample.path, sample.size_bytes)
        return CorpusFile(name, size_bytes, mapped)

    def _choose(self, size_bytes: int, seed: int) -> Sample:
        fitting = self._samples if self._by_size is None else self._by_size.get(size_bytes, ())
        if not fitting:
            hint = "give every worker the same corpus, and leave it alone while a run goes on"
            raise UsageError(f"expected a file of {size_bytes} bytes in the corpus, found none", hint=hint)
        return fitting[seed % len(fitting)]


def _by_size(found: Sequence[Sample]) -> dict[int, list[Sample]]:
    by_size: dict[int, list[Sample]] = {}
    for each in found:
        by_size.setdefault(each.size_bytes, []).append(each)
    return by_size


class CorpusFile:
    """A sample under another name and perhaps another size."""

    def __init__(self, name: str, size_bytes: int, mapped: Mapped) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._mapped: Mapped | None = mapped

    @property
    def allocated_bytes(self) -> int:
        """What the sample takes on disk; of a sparse one that is less than its size."""
        return self._sample.allocated_bytes

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        """Views of the page cache, and of one buffer of zeros for holes."""
        sample, end = self._sample, offset + length
        period_bytes = sample.period_bytes(self.size_bytes)
        while offset < end:
            within = offset % period_bytes
            step = min(period_bytes - within, end - offset)
            yield from sample.views(within, within + step)
            offset += step

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """Computed once for each place in each sample, however many files show it, while the sample stays as it is."""
        sample = self._sample
        within = offset % sample.size_bytes
        if sample.is_hole(within, within + length):
            return digest_of_zeros(algorithm, length)
        key = ("corpus", sample.identity(), algorithm, within, length)
        return remembered(key, lambda: digests.digest_of(algorithm, self.views(offset, length)))

    def close(self) -> None:
        """Let the sample go; it is closed with the last file that shows it."""
        self._mapped = None

    @property
    def _sample(self) -> Mapped:
        if self._mapped is None:
            raise ValueError(f"expected {self.name} to be open, it has been closed")
        return self._mapped
