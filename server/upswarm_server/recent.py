"""Uploads that were open a moment ago, so that a chunk need not ask the catalog for its upload."""

from __future__ import annotations

from collections import OrderedDict

from upswarm_server.model import Upload


class RecentUploads:
    """Up to `limit` records of uploads.

    The record of an open upload never changes, and whether it is still open is told by the store, which holds it then.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._uploads: OrderedDict[str, Upload] = OrderedDict()

    def get(self, upload_id: str, now_s: float) -> Upload | None:
        """The upload, unless it is not known here or its time is over."""
        upload = self._uploads.get(upload_id)
        return None if upload is None or upload.expired(now_s) else upload

    def add(self, upload: Upload) -> Upload:
        """Remember it, and forget the one that was added first when there are too many."""
        self._uploads[upload.upload_id] = upload
        if len(self._uploads) > self._limit:
            self._uploads.popitem(last=False)
        return upload

    def drop(self, upload_id: str) -> None:
        """Forget it."""
        self._uploads.pop(upload_id, None)
