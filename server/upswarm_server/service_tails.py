"""The rules of uploads whose bytes come in order, which is how tus sends them; everything else is `Service`'s."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from upswarm.digests import Hasher
from upswarm_server import rules
from upswarm_server.ingest import Body
from upswarm_server.model import Progress, Upload, UploadState, Wish
from upswarm_server.problems import Problem
from upswarm_server.service import Service
from upswarm_server.stores.base import NotHeld, PipedTail, Tail


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request shall have: an algorithm by tus's name, the value, and what makes a hasher."""

    algorithm: str
    expected: bytes
    hasher: Callable[[], Hasher]


class Tails:
    """What may be done with sequential uploads only."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._store = service.sequential_store

    def begin(self, wish: Wish) -> Progress:
        """Begin an upload; an empty one is a file at once, unless it is a part."""
        return self.look(self._service.begin(wish).upload_id)

    def look(self, upload_id: str) -> Progress:
        """How far it is; one that is complete becomes a file before its client hears of it, after a crash too."""
        progress = self._known(upload_id)
        upload = progress.upload
        if upload.state is UploadState.FINALIZED or upload.part or progress.received_bytes < upload.size_bytes:
            return progress
        self._service.finalize(upload_id)
        return self._known(upload_id)

    def append(self, upload_id: str, offset_bytes: int, body: Body, checksum: Checksum | None) -> Progress:
        """Take the bytes that begin at this offset; the last ones make the file.

        What came counts, even if the connection or this process breaks; with a checksum nothing counts before all
        has come and is right.
        """
        progress = self.look(upload_id)
        if progress.upload.joined:
            raise Problem("upload_final", f"upload {upload_id} is file {progress.upload.file_id}")
        if progress.upload.state is UploadState.OPEN:
            try:
                self._append(progress.upload, offset_bytes, body, checksum)
            except NotHeld:
                progress = self.look(upload_id)  # raises, unless another request has made it a file
            else:
                return self.look(upload_id)
        rules.check_append(progress.upload, progress.received_bytes, offset_bytes, body.length_bytes)
        return progress

    def _append(self, upload: Upload, offset_bytes: int, body: Body, checksum: Checksum | None) -> None:
        with self._store.tail(upload.upload_id) as tail:
            rules.check_append(upload, tail.offset_bytes, offset_bytes, body.length_bytes)
            if checksum:
                _take_checked(body, tail, checksum)
            else:
                _take(body, tail)

    def join(self, wish: Wish, part_ids: Sequence[str]) -> Progress:
        """Make a file of complete parts, which stay until they expire; whatever is raised, nothing of it is left."""
        parts = [self._part(part_id) for part_id in part_ids]
        upload = self._service.begin(replace(wish, size_bytes=sum(part.size_bytes for part in parts)))
        try:
            self._copy(upload, parts)
            return self.look(upload.upload_id)
        except BaseException:
            with suppress(Problem):
                self._service.abort(upload.upload_id)
            raise

    def _part(self, upload_id: str) -> Upload:
        try:
            progress = self._known(upload_id)
        except Problem as problem:
            raise Problem("part_unusable", problem.detail) from problem
        upload = progress.upload
        if not upload.part:
            raise Problem("part_unusable", f"expected a part, found that {upload_id} is a whole upload")
        if progress.received_bytes < upload.size_bytes:
            found = f"found {progress.received_bytes} B"
            raise Problem("part_unusable", f"expected {upload.size_bytes} B of part {upload_id}, {found}")
        return upload

    def _copy(self, upload: Upload, parts: Sequence[Upload]) -> None:
        try:
            with self._store.tail(upload.upload_id) as tail:
                for part in parts:
                    tail.copy(part.upload_id, part.size_bytes)
                tail.keep()
        except NotHeld as gone:
            raise Problem("part_unusable", f"upload {gone} was ended in the meantime") from gone

    def end(self, upload_id: str) -> None:
        """Forget it and free its space, be it open or the file that it has become."""
        upload = self._known(upload_id).upload
        if upload.file_id:
            self._service.delete_file(upload.file_id)
        else:
            self._service.abort(upload_id)

    def _known(self, upload_id: str) -> Progress:
        progress = self._service.progress(upload_id)
        if not progress.upload.sequential:
            raise Problem(
                "upload_not_found", f"expected an upload that speaks tus, found that {upload_id} is in chunks"
            )
        return progress


def _take(body: Body, tail: Tail) -> None:
    if body.has_pipes and isinstance(tail, PipedTail):
        for pipe, length_bytes in body.piped():
            tail.write_from_pipe(pipe, length_bytes)
            tail.keep()
    else:
        for piece in body.pieces():
            tail.write(piece)
            tail.keep()
    _require_whole(body)


def _take_checked(body: Body, tail: Tail, checksum: Checksum) -> None:
    hasher = checksum.hasher()
    for piece in body.pieces():
        hasher.update(piece)
        tail.write(piece)
    _require_whole(body)
    if (found := hasher.digest()) != checksum.expected:
        raise Problem(
            "checksum_mismatch", f"expected {_shown(checksum, checksum.expected)}, found {_shown(checksum, found)}"
        )
    tail.keep()


def _require_whole(body: Body) -> None:
    if body.torn:
        raise Problem("body_torn", f"expected {body.length_bytes} B, found {body.received_bytes} B")


def _shown(checksum: Checksum, value: bytes) -> str:
    return f"{checksum.algorithm} {base64.b64encode(value).decode()}"
