"""What the server knows: an upload on its way, and the file it becomes. Plain arithmetic, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

MISSING = b"\x00"
RECEIVED = b"\x01"
_RUNS = {value: re.compile(re.escape(value) + b"+") for value in (MISSING, RECEIVED)}


class UploadState(StrEnum):
    """An upload is open until it is finalized; an aborted one is forgotten, an expired one is told by the clock."""

    OPEN = "open"
    FINALIZED = "finalized"


class IllegalStep(Exception):
    """A step that the upload's state does not allow."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file's journey. Times are seconds since the epoch; `digest` is what was promised for the whole file.

    `tus` is what a client that speaks tus said of it, by header; None for an upload in chunks.
    """

    upload_id: str
    filename: str
    size_bytes: int
    chunk_size_bytes: int
    created_at_s: float
    expires_at_s: float
    content_type: str = "application/octet-stream"
    metadata: dict[str, Any] = field(default_factory=dict)
    client_id: str | None = None
    client_timestamp: str | float | None = None
    digest: str | None = None
    file_id: str | None = None
    tus: dict[str, str] | None = None

    @property
    def sequential(self) -> bool:
        """Whether its bytes come in order; then it is one chunk."""
        return self.tus is not None

    @property
    def part(self) -> bool:
        """Whether it is there to be joined with others, and never becomes a file itself."""
        return self.tus is not None and self.tus.get("Upload-Concat") == "partial"

    @property
    def joined(self) -> bool:
        """Whether it was made of parts."""
        return self.tus is not None and self.tus.get("Upload-Concat", "").startswith("final;")

    @property
    def state(self) -> UploadState:
        """`finalized` as soon as there is a file."""
        return UploadState.FINALIZED if self.file_id else UploadState.OPEN

    @property
    def chunk_count(self) -> int:
        """All chunks; an empty file has none."""
        return -(-self.size_bytes // self.chunk_size_bytes)

    def expired(self, now_s: float) -> bool:
        """Whether the time to finalize it is over; a finalized upload never expires."""
        return self.state is UploadState.OPEN and now_s >= self.expires_at_s

    def offset_bytes(self, index: int) -> int:
        """Where the chunk begins in the file."""
        return index * self.chunk_size_bytes

    def length_bytes(self, index: int) -> int:
        """How long the chunk is: the last one has what is left."""
        return min(self.chunk_size_bytes, self.size_bytes - self.offset_bytes(index))

    def received_bytes(self, marks: bytes) -> int:
        """The bytes of all marked chunks; `marks` has one byte per chunk."""
        received = int.from_bytes(marks, "little").bit_count() * self.chunk_size_bytes  # the quickest way to count
        if marks.endswith(RECEIVED):
            received -= self.chunk_size_bytes - self.length_bytes(len(marks) - 1)
        return received

    def finalized(self, at_s: float, stored_by: str) -> tuple[Upload, File]:
        """The upload after its last step, and the file; raises `IllegalStep` when that step was taken before."""
        if self.state is not UploadState.OPEN:
            raise IllegalStep(f"upload {self.upload_id} is {self.state}")
        file = File(
            file_id=self.upload_id,
            upload_id=self.upload_id,
            filename=self.filename,
            size_bytes=self.size_bytes,
            content_type=self.content_type,
            metadata=self.metadata,
            client_id=self.client_id,
            client_timestamp=self.client_timestamp,
            digest=self.digest,
            created_at_s=at_s,
            stored_by=stored_by,
        )
        return replace(self, file_id=file.file_id), file


@dataclass(frozen=True, slots=True)
class File:
    """What stands on the server after a finalized upload. `digest` was promised by the client and checked here."""

    file_id: str
    upload_id: str
    filename: str
    size_bytes: int
    content_type: str
    metadata: dict[str, Any]
    client_id: str | None
    client_timestamp: str | float | None
    digest: str | None
    created_at_s: float
    stored_by: str

    @property
    def etag(self) -> str:
        """A strong entity tag: the bytes under a file id never change."""
        return f'"{self.file_id}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client asks for when it begins an upload."""

    filename: str | None
    """None is for a client that has no name for it: the upload's id."""
    size_bytes: int
    content_type: str = "application/octet-stream"
    metadata: dict[str, Any] = field(default_factory=dict)
    chunk_size_bytes: int | None = None
    client_id: str | None = None
    client_timestamp: str | float | None = None
    digest: str | None = None
    whole: bool = False
    """Whether it comes as one chunk, whatever its size."""
    tus: dict[str, str] | None = None
    """As `Upload.tus`; then its bytes come in order, and it has no chunks."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An upload, one byte per chunk of it, and how many of its bytes count."""

    upload: Upload
    marks: bytes
    received_bytes: int


def runs(marks: bytes, value: bytes) -> list[tuple[int, int]]:
    """The inclusive index ranges of all chunks with this mark, in order."""
    return [(found.start(), found.end() - 1) for found in _RUNS[value].finditer(marks)]
