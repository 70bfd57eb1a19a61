"""The rules of an upload. Knows no HTTP and no disk: plain values in, records or a `Problem` out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from upswarm import digests
from upswarm_server import ingest, names, rules, trace
from upswarm_server.catalogs.base import Bounds, Catalog, Page, Query
from upswarm_server.ingest import Body
from upswarm_server.meter import SILENT, Meter
from upswarm_server.model import RECEIVED, File, Progress, Upload, UploadState, Wish
from upswarm_server.problems import Problem
from upswarm_server.recent import RecentUploads
from upswarm_server.settings import Settings
from upswarm_server.stores.base import Held, NotHeld, Reader, SequentialStore, Store


class Service:
    """What may be done with uploads and files; `clock` tells seconds since the epoch."""

    def __init__(
        self, settings: Settings, store: Store, catalog: Catalog, clock: Callable[[], float], meter: Meter = SILENT
    ) -> None:
        self.settings = settings
        self.store = store
        self.catalog = catalog
        self.clock = clock
        self.meter = meter
        self._bounds = Bounds(settings.max_open_uploads, settings.quota_bytes, settings.max_open_uploads_per_client)
        self._recent = RecentUploads()

    @property
    def sequential_store(self) -> SequentialStore:
        """The store, for uploads whose bytes come in order; over other stores the application has no route to these."""
        assert isinstance(self.store, SequentialStore)
        return self.store

    def begin(self, wish: Wish) -> Upload:
        """Reserve space, then record the upload: after a crash in between nothing points to nowhere."""
        if wish.filename is not None:
            names.check_filename(wish.filename, self.settings.max_name_bytes)
        if wish.size_bytes > self.settings.max_file_size_bytes:
            limit_bytes = self.settings.max_file_size_bytes
            raise Problem("size_over_limit", f"expected at most {limit_bytes} B, found {wish.size_bytes} B")
        upload = self._new_upload(wish)
        trace.note(upload.upload_id, upload.client_id)
        try:
            self._reserve(upload)
            self.catalog.begin(upload, self._bounds)
        except BaseException:
            self.store.discard(upload.upload_id)
            raise
        return upload

    def _reserve(self, upload: Upload) -> None:
        if upload.sequential:
            self.sequential_store.reserve_tail(upload.upload_id, upload.size_bytes)
        else:
            self.store.reserve(upload.upload_id, upload.size_bytes, upload.chunk_count)

    def receive_chunk(self, upload_id: str, index: int, promised: dict[str, bytes], body: Body) -> int:
        """Take one chunk and return the bytes received so far; `promised` are digests by algorithm.

        The same chunk again is a success. Whatever is raised, the chunk counts no more than before.
        """
        upload = self._recent.get(upload_id, self.clock()) or self._recent.add(self._open_upload(upload_id))
        trace.note(upload_id, upload.client_id)
        rules.require_chunks(upload)
        try:
            rules.check_place(upload, index, body.length_bytes)
        except Problem:
            self._open_upload(upload_id)  # if it is over by now, that is the answer, whichever worker gives it
            raise
        with self._resolved(upload_id), self.store.slot(upload_id, index, upload.offset_bytes(index)) as slot:
            ingest.take_chunk(body, slot, promised)
            # Counted while the chunk is held: a finalize right after it must not turn its success into an error.
            return upload.received_bytes(slot.mark())

    def receive_file(self, wish: Wish, body: Body) -> File:
        """Take a whole file as one chunk and finalize it; whatever is raised, nothing of it is left."""
        upload_id = self.begin(wish).upload_id
        try:
            if wish.size_bytes:
                self.receive_chunk(upload_id, 0, {}, body)
            return self.finalize(upload_id)
        except BaseException:
            with suppress(Problem):
                self.abort(upload_id)
            raise

    def progress(self, upload_id: str) -> Progress:
        """How far an upload is; a finalized one has all its chunks."""
        upload = self._known_upload(upload_id)
        if upload.state is UploadState.FINALIZED:
            return _whole(upload)
        try:
            marks = self.store.marks(upload_id)
            if upload.sequential:
                return Progress(upload, marks, self.sequential_store.tail_offset_bytes(upload_id))
            return Progress(upload, marks, upload.received_bytes(marks))
        except NotHeld:
            return self._progress_after_change(upload_id)

    def _progress_after_change(self, upload_id: str) -> Progress:
        upload = self._known_upload(upload_id)
        if upload.state is UploadState.OPEN:
            raise Problem("upload_not_found", f"upload {upload_id} is being aborted")
        return _whole(upload)

    def finalize(self, upload_id: str) -> File:
        """Make the file durable and return it; again, the same file."""
        upload = self._known_upload(upload_id)
        if upload.state is UploadState.FINALIZED:
            return self._file_of(upload)
        rules.require_file(upload)
        try:
            rules.require_complete(upload, self.store.marks(upload_id))
            with self.store.hold(upload_id) as held:
                return self._finalize_held(upload, held)
        except NotHeld:
            return self._file_of(self._known_upload(upload_id))

    def _finalize_held(self, upload: Upload, held: Held) -> File:
        rules.require_complete(upload, held.marks())
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
        trace.note(file.upload_id, file.client_id)
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
        self.store.condemn(file_id)
        try:
            deleted = self.catalog.delete_file(file_id)
        except Exception:
            self.store.seal(file_id)
            raise
        self.store.remove(file_id)
        if not deleted:
            raise Problem("file_not_found", f"file {file_id} was deleted in the meantime")

    def list_files(self, query: Query) -> Page:
        """One page of files."""
        trace.note(client_id=query.client_id)
        return self.catalog.list_files(query)

    def free_expired(self, upload_id: str) -> bool:
        """Give back the space of an upload whose time is over; False when somebody holds it just now."""
        # Held, so that it is not taken from a finalize that began in time.
        try:
            with self.store.hold(upload_id):
                known = self.catalog.upload(upload_id)
                if known is None or not known.expired(self.clock()):
                    return True
                self.store.discard(upload_id)
                self.meter.expired(1, known.size_bytes)
        except NotHeld:
            """A process that died here had freed it already, and not noted that."""
        except Problem:
            return False
        return self.catalog.freed(upload_id)

    def _new_upload(self, wish: Wish) -> Upload:
        now_s, upload_id = self.clock(), str(uuid.uuid4())
        chosen_bytes = rules.choose_chunk_size(wish.size_bytes, wish.chunk_size_bytes, self.settings)
        return Upload(
            upload_id=upload_id,
            filename=upload_id if wish.filename is None else wish.filename,
            size_bytes=wish.size_bytes,
            chunk_size_bytes=max(1, wish.size_bytes) if wish.whole or wish.tus is not None else chosen_bytes,
            created_at_s=now_s,
            expires_at_s=now_s + self.settings.upload_lifetime_s,
            content_type=wish.content_type,
            metadata=wish.metadata,
            client_id=wish.client_id,
            client_timestamp=wish.client_timestamp,
            digest=wish.digest,
            tus=wish.tus,
        )

    def _known_upload(self, upload_id: str, *, expired_too: bool = False) -> Upload:
        upload = self.catalog.upload(upload_id) if rules.is_id(upload_id) else None
        if upload is None:
            raise Problem("upload_not_found", f"expected the id of an upload, found {upload_id[:64]!r}")
        trace.note(upload_id, upload.client_id)
        if upload.expired(self.clock()) and not expired_too:
            raise Problem("upload_expired", f"upload {upload_id} could be finalized until {upload.expires_at_s:.0f}")
        return upload

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
            self._recent.drop(upload_id)
            self._raise_state(upload_id)

    def _raise_state(self, upload_id: str) -> NoReturn:
        self._open_upload(upload_id)
        raise Problem("upload_not_found", f"upload {upload_id} was aborted in the meantime")


def _whole(upload: Upload) -> Progress:
    return Progress(upload, RECEIVED * upload.chunk_count, upload.size_bytes)
