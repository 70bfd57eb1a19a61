"""Every error that the server answers with, on one screen: code, status, title and what to do.

The answer is a problem document of RFC 9457. `code` is stable and meant for programs; `detail` says what was
expected and what was found; `hint` says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `title` is the same for every occurrence of the problem."""

    status: int
    title: str
    hint: str


# ruff: noqa: E501 - a table is read by its columns
# fmt: off
TABLE: dict[str, Row] = {
    "invalid_request": Row(400, "The request can't be understood.", "Correct what `errors` lists, or what the detail says, and send it again."),
    "chunk_torn": Row(400, "The body ended before all promised bytes had come.", "Nothing was recorded; send it again."),
    "body_torn": Row(400, "The body ended before all promised bytes had come.", "What came is kept, unless it had a checksum; ask with HEAD where to go on."),
    "unauthorized": Row(401, "A valid bearer token is needed.", "Send `Authorization: Bearer <token>` with one of the server's tokens."),
    "upload_final": Row(403, "The upload was joined from others and takes no bytes.", "Its file is under /v1/files; nothing of it can be changed."),
    "forbidden": Row(403, "The token is not good for this.", "Use a token whose scope covers it; the server's settings say which has which."),
    "not_found": Row(404, "There is nothing under this address.", "PROTOCOL.md lists every route."),
    "upload_not_found": Row(404, "There is no such upload.", "It was never begun, was aborted, or its file was deleted; begin a new one with POST /v1/uploads."),
    "file_not_found": Row(404, "There is no such file.", "GET /v1/files lists the files that are there."),
    "method_not_allowed": Row(405, "This address does not answer to this method.", "The `Allow` header lists the methods that it answers to."),
    "chunk_conflict": Row(409, "Other bytes were received for this chunk before.", "The first whole chunk counts; abort the upload and begin anew if it was the wrong one."),
    "offset_mismatch": Row(409, "These bytes are not the next ones.", "Ask with HEAD for `Upload-Offset`, and go on from there."),
    "part_unusable": Row(409, "The uploads can't be joined.", "Join only uploads that were begun with `Upload-Concat: partial` and are complete."),
    "upload_sequential": Row(409, "The upload takes its bytes in order.", "It speaks tus: go on at /tus/{upload_id}."),
    "upload_incomplete": Row(409, "Chunks are missing.", "Send the chunks in `missing_chunks`, then finalize again."),
    "upload_finalized": Row(409, "The upload is finalized already.", "Its file is under /v1/files; nothing of it can be changed."),
    "upload_expired": Row(410, "The upload was not finalized in time.", "Begin a new one with POST /v1/uploads."),
    "length_required": Row(411, "The request has no Content-Length.", "Say in Content-Length how many bytes follow; chunked transfer coding is not taken."),
    "version_unsupported": Row(412, "The server does not speak this version of tus.", "Send `Tus-Resumable` with one of the versions in `Tus-Version`."),
    "size_over_limit": Row(413, "This is larger than the server takes.", "Send less; the server's limits are settings."),
    "media_type_unsupported": Row(415, "The body is not of the type that is taken here.", "Send `Content-Type: application/offset+octet-stream`."),
    "range_not_satisfiable": Row(416, "The file has no bytes in this range.", "Ask for a range below the size in `Content-Range`."),
    "chunk_length_mismatch": Row(422, "The chunk has the wrong length.", "All chunks have `chunk_size_bytes`, the last one has the rest; the probe tells the sizes."),
    "chunk_out_of_range": Row(422, "The upload has no chunk of this index.", "Indices go from 0 to `chunk_count` - 1; the probe tells how many there are."),
    "chunk_size_rejected": Row(422, "The proposed chunk size is outside the server's limits.", "Propose another one, or none and take the server's."),
    "digest_mismatch": Row(422, "The bytes do not have the promised digest.", "Nothing of them counts as received; send them again."),
    "filename_rejected": Row(422, "The filename is not accepted.", "Use 1 to 255 bytes of UTF-8 without slashes and control characters."),
    "checksum_mismatch": Row(460, "The bytes do not have the promised checksum.", "None of them count; send them again."),
    "internal_error": Row(500, "The server failed.", "The server's log has the cause; trying again may help."),
    "storage_failed": Row(503, "The server's storage does not work now.", "Try again after the seconds in `Retry-After`; `/health/ready` and the server's log say what is wrong."),
    "injected_fault": Row(503, "The server fails on purpose.", "Try again; UPSWARM_FAULTS says how often this happens, and with which status."),
    "busy": Row(503, "Another request holds this upload.", "Try again after the seconds in `Retry-After`."),
    "not_ready": Row(503, "The server can't take uploads now.", "`reasons` lists what is wrong."),
    "open_uploads_exceeded": Row(503, "Too many uploads are open.", "Finalize or abort some, or try again after the seconds in `Retry-After`."),
    "quota_exceeded": Row(507, "The server's quota is used up.", "Delete files, or raise UPSWARM_QUOTA."),
    "storage_full": Row(507, "The server's storage is full.", "Free some space on the server."),
}
# fmt: on

_RETRY_AFTER_S = {"busy": 1, "not_ready": 5, "open_uploads_exceeded": 5, "storage_failed": 5}


class Problem(Exception):
    """An error with a line in the table; `extensions` become members of the answer's document."""

    def __init__(self, code: str, detail: str, **extensions: Any) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.row = TABLE[code]
        self.detail = detail
        self.extensions = extensions

    @property
    def retry_after_s(self) -> int | None:
        """Whole seconds after which trying again makes sense; None where it does not help."""
        return _RETRY_AFTER_S.get(self.code)

    def document(self) -> dict[str, Any]:
        """The members of the problem document."""
        return {
            "type": f"urn:upswarm:problem:{self.code}",
            "title": self.row.title,
            "status": self.row.status,
            "code": self.code,
            "detail": self.detail,
            "hint": self.row.hint,
            **self.extensions,
        }
