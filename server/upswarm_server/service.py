"""The rules of an upload. Knows no HTTP and no disk: plain values in, records or a `Problem` out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from upswarm import digests
from upswarm_server import ingest, names, rules
from upswarm_server.catalogs.base import Bounds, Catalog, Page, Query
from upswarm_server.ingest import Body
from upswarm_server.model import RECEIVED, File, Upload, UploadState
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings
from upswarm_server.stores.base import Held, NotHeld, Reader, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client asks for when it begins an upload."""

    filename: str
    size_bytes: int
    content_type: str = "application/octet-stream"
    metadata: dict[str, Any] = field(default_factory=dict)
    chunk_size_bytes: int | None = None
    client_id: str | None = None
    client_timestamp: str | float | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """An upload and one byte per chunk of it."""

    upload: Upload
    marks: bytes


class Service:
    """What may be done with uploads and files; `clock` tells seconds since the epoch."""

    def __init__(self, settings: Settings, store: Store, catalog: Catalog, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.store = store
        self.catalog = catalog
        self.clock = clock

    def begin(self, wish: Wish) -> Upload:
        """Reserve space, then record the upload: after a crash in between nothing points to nowhere."""
        names.check_filename(wish.filename, self.settings.max_name_bytes)
        if wish.size_bytes > self.settings.max_file_size_bytes:
            limit_bytes = self.settings.max_file_size_bytes
            raise Problem("size_over_limit", f"expected at most {limit_bytes} B, found {wish.size_bytes} B")
        upload = self._new_upload(wish)
        self.store.reserve(upload.upload_id, upload.size_bytes, upload.chunk_count)
        try:
            self.catalog.begin(upload, Bounds(self.settings.max_open_uploads, self.settings.quota_bytes))
        except BaseException:
            self.store.discard(upload.upload_id)
            raise
        return upload

    def receive_chunk(self, upload_id: str, index: int, promised: dict[str, bytes], body: Body) -> int:
        """Take one chunk and return the bytes received so far; `promised` are digests by algorithm.

        The same chunk again is a success. Whatever is raised, the chunk counts no more than before.
        """
        upload = self._open_upload(upload_id)
        rules.check_place(upload, index, body.length_bytes)
        with self._resolved(upload_id), self.store.slot(upload_id, index, upload.offset_bytes(index)) as slot:
            ingest.take_chunk(body, slot, promised)
            # Counted while the chunk is held: a finalize right after it must not turn its success into an error.
            return upload.received_bytes(slot.mark())

    def progress(self, upload_id: str) -> Progress:
        """How far an upload is; a finalized one has all its chunks."""
        upload = self._known_upload(upload_id)
        if upload.state is UploadState.FINALIZED:
            return Progress(upload, RECEIVED * upload.chunk_count)
        try:
            return Progress(upload, self.store.marks(upload_id))
        except NotHeld:
            return self._progress_after_change(upload_id)

    def _progress_after_change(self, upload_id: str) -> Progress:
        upload = self._known_upload(upload_id)
        if upload.state is UploadState.OPEN:
            raise Problem("upload_not_found", f"upload {upload_id} is being aborted")
        return Progress(upload, RECEIVED * upload.chunk_count)

    def finalize(self, upload_id: str) -> File:
        """Make the file durable and return it; again, the same file."""
        upload = self._known_upload(upload_id)
        if upload.state is UploadState.FINALIZED:
            return self._file_of(upload)
        try:
            rules.require_complete(self.store.marks(upload_id))
            with self.store.hold(upload_id) as held:
                return self._finalize_held(upload, held)
        except NotHeld:
            return self._file_of(self._known_upload(upload_id))

    def _finalize_held(self, upload: Upload, held: Held) -> File:
        rules.require_complete(held.marks())
        self._check_whole(upload, held)
        held.sync()
        file = self.catalog.finalize(*upload.finalized(self.clock(), self.settings.server_id))
        if file is None:
            raise Problem("upload_not_found", f"upload {upload.upload_id} was aborted in the meantime")
        self.store.seal(upload.upload_id)
        return file

    def _check_whole(self, upload: Upload, held: Held) -> None:
        for algorithm, expected in digests.parse_header(upload.digest).items() if upload.digest else ():
            try:
                ingest.check_digest(algorithm, expected, held.digest(algorithm))
            except Problem:
                # Nobody knows which chunk is wrong, so none is trusted; the probe asks for all of them.
                held.clear()
                raise

    def abort(self, upload_id: str) -> None:
        """Forget an open upload and free its space."""
        self._known_upload(upload_id, expired_too=True)
        if not self.catalog.abort(upload_id):
            self._raise_state(upload_id)
        self.store.discard(upload_id)

    def file(self, file_id: str) -> File:
        """The file's record."""
        file = self.catalog.file(file_id) if rules.is_id(file_id) else None
        if file is None:
            raise Problem("file_not_found", f"expected the id of a file, found {file_id[:64]!r}")
        return file

    def open_file(self, file_id: str) -> Reader:
        """The file's bytes; the caller closes."""
        try:
            return self.store.open(file_id)
        except NotHeld:
            raise Problem("file_not_found", f"file {file_id} was deleted in the meantime") from None

    def delete_file(self, file_id: str) -> None:
        """Forget the file first, so that no record points to bytes that are gone."""
        self.file(file_id)
        if not self.catalog.delete_file(file_id):
            raise Problem("file_not_found", f"file {file_id} was deleted in the meantime")
        self.store.remove(file_id)

    def list_files(self, query: Query) -> Page:
        """One page of files."""
        return self.catalog.list_files(query)

    def recover(self) -> None:
        """Called once before any worker starts: drop what a crash left between a reservation and its record."""
        for upload_id in self.store.uploads():
            upload = self.catalog.upload(upload_id)
            if upload is not None and upload.state is UploadState.FINALIZED:
                self.store.seal(upload_id)
            elif upload is None or upload.expired(self.clock()):
                self.store.discard(upload_id)

    def _new_upload(self, wish: Wish) -> Upload:
        now_s = self.clock()
        return Upload(
            upload_id=str(uuid.uuid4()),
            filename=wish.filename,
            size_bytes=wish.size_bytes,
            chunk_size_bytes=rules.choose_chunk_size(wish.size_bytes, wish.chunk_size_bytes, self.settings),
            created_at_s=now_s,
            expires_at_s=now_s + self.settings.upload_lifetime_s,
            content_type=wish.content_type,
            metadata=wish.metadata,
            client_id=wish.client_id,
            client_timestamp=wish.client_timestamp,
            digest=wish.digest,
        )

    def _known_upload(self, upload_id: str, *, expired_too: bool = False) -> Upload:
        upload = self.catalog.upload(upload_id) if rules.is_id(upload_id) else None
        if upload is None:
            raise Problem("upload_not_found", f"expected the id of an upload, found {upload_id[:64]!r}")
        if upload.expired(self.clock()) and not expired_too:
            self._free_expired(upload_id)
            raise Problem("upload_expired", f"upload {upload_id} could be finalized until {upload.expires_at_s:.0f}")
        return upload

    def _free_expired(self, upload_id: str) -> None:
        # Held, so that it is not taken from a finalize that began in time; who is busy frees nothing, the next one may.
        with suppress(NotHeld, Problem), self.store.hold(upload_id):
            known = self.catalog.upload(upload_id)
            if known is not None and known.state is UploadState.OPEN:
                self.store.discard(upload_id)

    def _open_upload(self, upload_id: str) -> Upload:
        upload = self._known_upload(upload_id)
        if upload.state is not UploadState.OPEN:
            raise Problem("upload_finalized", f"upload {upload_id} is file {upload.file_id}")
        return upload

    def _file_of(self, upload: Upload) -> File:
        file = self.catalog.file(upload.file_id) if upload.file_id else None
        if file is None:
            raise Problem("upload_not_found", f"upload {upload.upload_id} was aborted or its file deleted")
        return file

    @contextmanager
    def _resolved(self, upload_id: str) -> Iterator[None]:
        """The store lost the upload while it was in use: say what became of it."""
        try:
            yield
        except NotHeld:
            self._raise_state(upload_id)

    def _raise_state(self, upload_id: str) -> NoReturn:
        self._open_upload(upload_id)
        raise Problem("upload_not_found", f"upload {upload_id} was aborted in the meantime")
