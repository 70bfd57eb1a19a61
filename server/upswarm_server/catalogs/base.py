"""What a catalog of records can do: the contract in the docstrings is checked by `upswarm.testing.catalogs`.

The catalog alone says whether an upload is open, finalized or unknown. Every change is one step that happens wholly
or not at all, and between racing processes one of them is first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from upswarm_server.model import File, Upload
from upswarm_server.problems import Problem


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be open at a time, in all and of one client; 0 per client and a quota of 0 bytes set no bound."""

    max_open_uploads: int
    quota_bytes: int = 0
    max_open_per_client: int = 0

    def check_open(self, open_uploads: int) -> None:
        """Raise `open_uploads_exceeded` unless one more may be opened."""
        if open_uploads >= self.max_open_uploads:
            raise Problem("open_uploads_exceeded", f"expected at most {self.max_open_uploads} at a time")

    def check_client(self, upload: Upload, open_uploads: int) -> None:
        """Raise `open_uploads_exceeded` unless the upload's client may open one more; `open_uploads` are its own."""
        if self.max_open_per_client and open_uploads >= self.max_open_per_client:
            client = "no client_id" if upload.client_id is None else f"client_id {upload.client_id!a}"
            raise Problem(
                "open_uploads_exceeded", f"expected at most {self.max_open_per_client} at a time with {client}"
            )

    def check_quota(self, upload: Upload, used_bytes: int) -> None:
        """Raise `quota_exceeded` unless the upload fits beside what is there."""
        if self.quota_bytes and used_bytes + upload.size_bytes > self.quota_bytes:
            left_bytes = max(0, self.quota_bytes - used_bytes)
            raise Problem("quota_exceeded", f"expected at most {left_bytes} B, found {upload.size_bytes} B")


@dataclass(frozen=True, slots=True)
class Query:
    """Which files to list; `after` is the `next_cursor` of the page before, 0 for the first page."""

    limit: int
    after: int = 0
    client_id: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some files in the order in which they were finalized; `next_cursor` is None on the last page."""

    files: tuple[File, ...]
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class Stock:
    """How many files there are, and their sizes together."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Commits:
    """What this process has written: `records` changes in `commits` transactions; `waiting` are not written yet."""

    commits: int
    records: int
    waiting: int


class Catalog(Protocol):
    """Records of uploads and files. A class with `one_process = True` is refused when there are several workers."""

    def prepare(self) -> None:
        """Called once at every start, before any worker; raises `OSError` when records can't be kept here."""

    def begin(self, upload: Upload, bounds: Bounds) -> None:
        """Record a new open upload; raises `open_uploads_exceeded` or `quota_exceeded`. Survives a process's death.

        Expired uploads count as closed, measured at the new upload's beginning.
        """

    def upload(self, upload_id: str) -> Upload | None:
        """The upload, open or finalized."""

    def finalize(self, upload: Upload, file: File) -> File | None:
        """Record the file and its upload as finalized; survives the machine's death.

        Whoever comes later gets the first one's file; None when the upload is not there (any more).
        """

    def abort(self, upload_id: str) -> bool:
        """Forget an open upload; False when it is finalized or unknown."""

    def file(self, file_id: str) -> File | None:
        """The file."""

    def delete_file(self, file_id: str) -> bool:
        """Forget a file and its upload; False when it is unknown."""

    def list_files(self, query: Query) -> Page:
        """One page of files; pages that follow each other show every file once, whatever is added meanwhile."""

    def count_open(self, now_s: float) -> int:
        """Open uploads that have not expired."""

    def stock(self) -> Stock:
        """What is stored, for those who look from time to time."""

    def open_uploads(self) -> Sequence[str]:
        """The ids of all open uploads, the expired ones too, but not those that were freed."""

    def expired(self, now_s: float, limit: int) -> Sequence[str]:
        """The ids of up to `limit` open uploads that have expired and were not freed yet, the oldest first."""

    def freed(self, upload_id: str) -> bool:
        """Note that the space of an expired upload was given back; False when it is not open (any more)."""

    def forget_expired(self, before_s: float) -> int:
        """Forget freed uploads that expired before this time; how many."""

    def commits(self) -> Commits:
        """What this process has written."""

    def close(self) -> None:
        """Give back what is held; the catalog is not used afterwards."""
