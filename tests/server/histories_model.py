"""What the server promises, as a few dictionaries: for every request the answer that it must give.

No store, no locks, no I/O: simple enough to be right by looking at it. `test_histories.py` holds the server against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Answer = tuple[int, str]
"""The status, and the problem's code; no code for a success."""

NOT_FOUND = (404, "upload_not_found")
EXPIRED = (410, "upload_expired")
FINALIZED = (409, "upload_finalized")


@dataclass
class Upload:
    """An upload: `wanted` is what its client means to send, `promised` is what it promised the digest of."""

    upload_id: str
    filename: str
    client_id: str
    wanted: bytes
    promised: bytes | None
    chunk_size: int
    expires_at: float
    received: dict[int, bytes] = field(default_factory=dict)
    finalized: bool = False

    @property
    def count(self) -> int:
        return -(-len(self.wanted) // self.chunk_size)

    def right(self, index: int) -> bytes:
        """The bytes of a chunk as its client means them."""
        return self.wanted[index * self.chunk_size : (index + 1) * self.chunk_size]

    @property
    def content(self) -> bytes:
        return b"".join(self.received[index] for index in range(self.count))

    @property
    def missing(self) -> list[int]:
        return [index for index in range(self.count) if index not in self.received]

    @property
    def received_bytes(self) -> int:
        return sum(map(len, self.received.values()))


@dataclass
class Sent:
    """A chunk on the wire: what came, how much was promised, and whether a digest of it was promised that is wrong."""

    index: int
    data: bytes
    promised_length: int
    wrong_digest: bool = False


class Model:
    """All uploads by id; `files` in the order of their finalize."""

    def __init__(self, lifetime: float, max_open: int) -> None:
        self.now = 0.0
        self.uploads: dict[str, Upload] = {}
        self.gone: set[str] = set()
        self.files: list[Upload] = []
        self._lifetime = lifetime
        self._max_open = max_open

    def state(self, upload_id: str) -> Answer | Upload:
        """The upload, or why there is none."""
        upload = self.uploads.get(upload_id)
        if upload is None:
            return NOT_FOUND
        return EXPIRED if not upload.finalized and self.now >= upload.expires_at else upload

    def open(self) -> list[Upload]:
        """All that may still be finalized."""
        return [each for each in self.uploads.values() if not each.finalized and self.now < each.expires_at]

    def may_begin(self) -> bool:
        return len(self.open()) < self._max_open

    def begin(self, upload: Upload) -> None:
        self.uploads[upload.upload_id] = upload

    def begin_whole(self, upload_id: str, filename: str, client_id: str, data: bytes) -> None:
        """A whole file has come at once."""
        upload = Upload(upload_id, filename, client_id, data, None, max(1, len(data)), self.now)
        upload.received = {0: data} if data else {}
        upload.finalized = True
        self.uploads[upload_id] = upload
        self.files.append(upload)

    def chunk(self, upload_id: str, sent: Sent) -> Answer:
        upload = self.state(upload_id)
        if not isinstance(upload, Upload):
            return upload
        if upload.finalized:
            return FINALIZED
        if not 0 <= sent.index < upload.count:
            return 422, "chunk_out_of_range"
        if sent.promised_length != len(upload.right(sent.index)):
            return 422, "chunk_length_mismatch"
        return self._take(upload, sent)

    def _take(self, upload: Upload, sent: Sent) -> Answer:
        if len(sent.data) < sent.promised_length:
            return 400, "chunk_torn"
        if sent.wrong_digest:
            return 422, "digest_mismatch"
        if upload.received.setdefault(sent.index, sent.data) != sent.data:
            return 409, "chunk_conflict"
        return 204, ""

    def finalize(self, upload_id: str) -> Answer:
        upload = self.state(upload_id)
        if not isinstance(upload, Upload):
            return upload
        if upload.finalized:
            return 201, ""
        if upload.missing:
            return 409, "upload_incomplete"
        if upload.promised not in (None, upload.content):
            upload.received.clear()
            return 422, "digest_mismatch"
        upload.finalized = True
        self.files.append(upload)
        return 201, ""

    def abort(self, upload_id: str) -> Answer:
        upload = self.uploads.get(upload_id)
        if upload is None:
            return NOT_FOUND
        if upload.finalized:
            return FINALIZED
        self._forget(upload)
        return 204, ""

    def delete(self, file_id: str) -> Answer:
        upload = self.file(file_id)
        if upload is None:
            return 404, "file_not_found"
        self.files.remove(upload)
        self._forget(upload)
        return 204, ""

    def file(self, file_id: str) -> Upload | None:
        return next((each for each in self.files if each.upload_id == file_id), None)

    def listed(self, client_id: str | None, prefix: str) -> list[str]:
        """Ids of files."""
        return [
            each.upload_id
            for each in self.files
            if client_id in (None, each.client_id) and each.filename.startswith(prefix)
        ]

    def reap(self) -> None:
        """Those that expired more than a lifetime ago are no longer known to have been there."""
        for upload in list(self.uploads.values()):
            if not upload.finalized and self.now - self._lifetime > upload.expires_at:
                self._forget(upload)

    def _forget(self, upload: Upload) -> None:
        del self.uploads[upload.upload_id]
        self.gone.add(upload.upload_id)
