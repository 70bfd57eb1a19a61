"""Records in memory: for tests and trials in one process; nothing survives it."""

from __future__ import annotations

import threading

from upswarm_server.catalogs.base import Bounds, Commits, Page, Query, Stock
from upswarm_server.meter import SILENT, Meter
from upswarm_server.model import File, Upload, UploadState
from upswarm_server.offload import Offload
from upswarm_server.settings import Settings


class MemoryCatalog:
    """Keeps records in dictionaries; every change is a commit of its own."""

    one_process = True
    """The server refuses to share it between several worker processes."""

    def __init__(self, meter: Meter = SILENT) -> None:
        self._meter = meter
        self._uploads: dict[str, Upload] = {}
        self._files: dict[str, tuple[int, File]] = {}
        self._freed: set[str] = set()
        self._changes = 0
        self._lock = threading.Lock()

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload, meter: Meter) -> MemoryCatalog:
        """Memory has no settings."""
        return cls(meter)

    def prepare(self) -> None:
        """Memory needs no preparation."""

    def begin(self, upload: Upload, bounds: Bounds) -> None:
        """Check the bounds and add."""
        with self._lock:
            open_uploads = self._open(upload.created_at_s)
            bounds.check_open(len(open_uploads))
            bounds.check_client(upload, sum(each.client_id == upload.client_id for each in open_uploads))
            used_bytes = sum(each.size_bytes for each in open_uploads)
            used_bytes += sum(file.size_bytes for _, file in self._files.values())
            bounds.check_quota(upload, used_bytes)
            self._uploads[upload.upload_id] = upload
            self._changed()

    def upload(self, upload_id: str) -> Upload | None:
        """The upload."""
        return self._uploads.get(upload_id)

    def finalize(self, upload: Upload, file: File) -> File | None:
        """Add the file, unless someone was first."""
        with self._lock:
            known = self._uploads.get(upload.upload_id)
            if known is None:
                return None
            if known.file_id is not None:
                return self.file(known.file_id)
            self._changed()
            self._uploads[upload.upload_id] = upload
            self._files[file.file_id] = (self._changes, file)
            return file

    def abort(self, upload_id: str) -> bool:
        """Forget the upload, if it is open."""
        with self._lock:
            known = self._uploads.get(upload_id)
            if known is None or known.state is not UploadState.OPEN:
                return False
            self._changed()
            self._freed.discard(upload_id)
            del self._uploads[upload_id]
            return True

    def file(self, file_id: str) -> File | None:
        """The file."""
        return self._files[file_id][1] if file_id in self._files else None

    def delete_file(self, file_id: str) -> bool:
        """Forget both records."""
        with self._lock:
            if file_id not in self._files:
                return False
            self._changed()
            _, file = self._files.pop(file_id)
            self._uploads.pop(file.upload_id, None)
            return True

    def list_files(self, query: Query) -> Page:
        """One page, in the order of finalizing."""
        found = sorted(
            (entry for entry in list(self._files.values()) if _matches(*entry, query)), key=lambda entry: entry[0]
        )
        shown = found[: query.limit]
        return Page(tuple(file for _, file in shown), shown[-1][0] if len(found) > len(shown) else None)

    def count_open(self, now_s: float) -> int:
        """Open uploads that have not expired."""
        return len(self._open(now_s))

    def stock(self) -> Stock:
        """All files, added up."""
        files = [file for _, file in self._files.values()]
        return Stock(len(files), sum(file.size_bytes for file in files))

    def open_uploads(self) -> list[str]:
        """All that have neither a file nor been freed."""
        uploads = list(self._uploads.values())
        return [
            each.upload_id for each in uploads if each.state is UploadState.OPEN and each.upload_id not in self._freed
        ]

    def expired(self, now_s: float, limit: int) -> list[str]:
        """The oldest of them."""
        uploads = [self._uploads[upload_id] for upload_id in self.open_uploads()]
        over = sorted((each for each in uploads if each.expired(now_s)), key=lambda each: each.expires_at_s)
        return [each.upload_id for each in over[:limit]]

    def freed(self, upload_id: str) -> bool:
        """Note it, if the upload is open."""
        with self._lock:
            known = self._uploads.get(upload_id)
            if known is None or known.state is not UploadState.OPEN:
                return False
            self._changed()
            self._freed.add(upload_id)
            return True

    def forget_expired(self, before_s: float) -> int:
        """Forget them all."""
        with self._lock:
            over = [each for each in self._freed if self._uploads[each].expires_at_s < before_s]
            for upload_id in over:
                self._changed()
                self._freed.discard(upload_id)
                del self._uploads[upload_id]
            return len(over)

    def commits(self) -> Commits:
        """One commit per change."""
        return Commits(self._changes, self._changes, 0)

    def close(self) -> None:
        """Nothing is held."""

    def _changed(self) -> None:
        self._changes += 1
        self._meter.commit(1, 0.0)

    def _open(self, now_s: float) -> list[Upload]:
        uploads = list(self._uploads.values())
        return [each for each in uploads if each.state is UploadState.OPEN and not each.expired(now_s)]


def _matches(number: int, file: File, query: Query) -> bool:
    return number > query.after and query.client_id in (None, file.client_id) and file.filename.startswith(query.prefix)
