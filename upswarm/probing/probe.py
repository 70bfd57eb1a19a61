"""A probe from its beginning to its end: an upload without a cut, what buffers, and one upload for each cut."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.errors import TargetError
from upswarm.probing.aftermath import Aftermath, Check
from upswarm.probing.buffering import Buffering
from upswarm.probing.cuts import PLAN, Cut
from upswarm.probing.cutting import Cutting
from upswarm.probing.findings import Findings
from upswarm.probing.listening import midway, refusal
from upswarm.probing.reading import read_back
from upswarm.probing.target import Target, Watch
from upswarm.probing.uploads import Upload
from upswarm.transfer.chunks import Grid
from upswarm.transfer.failures import TransferError

WITHIN_S = 60.0
"""After this a probe begins no further cut. It makes one at least, for without any there is nothing to say."""
CUT_S = 30.0
"""How long the story of a cut may take; what is under way then ends, within `target.REQUEST_S` for each request."""
SILENCE_S = 2.0


class Probe:
    """One probe of one target. `token` makes the names of its files its own."""

    def __init__(
        self,
        target: Target,
        token: str,
        *,
        plan: Sequence[Cut] = PLAN,
        within_s: float = WITHIN_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._target = target
        self._token = token
        self._plan = plan
        self._watch = Watch.of(target.clock, within_s, silence_s)
        self._began_s = target.clock.now()
        self._files = 0
        self._size_bytes = 0

    def run(self) -> Findings:
        """Raises `TargetError` where even an upload without a cut does not come to its end."""
        grid, uncut, notes = self._uncut()
        with self._upload() as upload:
            refused = refusal(upload)
        with self._upload() as upload:
            paused = midway(upload)
        aftermaths = [self._cut(cut) for number, cut in enumerate(self._plan) if number == 0 or not self._watch.over]
        told = [each for each in aftermaths if each.kept is not None]
        return Findings(
            target_url=self._target.url,
            protocol_name=self._target.protocol_name,
            caps=self._target.protocol.caps,
            grid=grid,
            uncut=uncut,
            aftermaths=tuple(aftermaths),
            left_out=len(self._plan) - len(aftermaths),
            buffering=Buffering(refused, paused, sum(each.held_bytes > 0 for each in told), len(told)),
            notes=tuple(notes),
            elapsed_s=self._target.clock.now() - self._began_s,
            digest=self._target.digest,
        )

    def _uncut(self) -> tuple[Grid, Check, list[str]]:
        notes: list[str] = []
        try:
            self._size_bytes = self._fitting_size_bytes()
            with self._upload() as upload:
                grid = upload.begin().grid
                return grid, read_back(upload, upload.finish(), notes), notes
        except TransferError as error:
            raise TargetError(
                f"an upload without any cut failed at {self._target.url}: {error.message}",
                hint="a probe needs a target that takes uploads: try `upswarm run` with this scenario first",
            ) from error

    def _fitting_size_bytes(self) -> int:
        """Two and a half chunks, as large as the server wants chunks to be; any size where a file is one chunk."""
        wish_bytes = self._target.protocol.caps.chunk_size_bytes(self._target.chunk_size_bytes, 0)
        self._size_bytes = _two_and_a_half(wish_bytes)
        with self._upload() as upload:
            found_bytes = upload.begin().grid.chunk_size_bytes
        return found_bytes if found_bytes == self._size_bytes else _two_and_a_half(found_bytes)

    def _cut(self, cut: Cut) -> Aftermath:
        with self._upload(Watch.of(self._target.clock, CUT_S, self._watch.silence_s)) as upload:
            return Cutting(upload, cut).run()

    @contextmanager
    def _upload(self, watch: Watch | None = None) -> Iterator[Upload]:
        """An upload of a new file; what is left of it on the server is aborted."""
        upload = Upload(self._target, self._new_file(), watch or self._watch)
        try:
            yield upload
        finally:
            upload.close()

    def _new_file(self) -> File:
        """Every file has bytes of its own: some servers keep equal ones once."""
        self._files += 1
        name = f"upswarm-probe-{self._token}-{self._files}"
        return Random(Path()).open(f"{name}.bin", self._size_bytes, seed=zlib.crc32(name.encode()))


def _two_and_a_half(chunk_size_bytes: int) -> int:
    return 5 * chunk_size_bytes // 2
