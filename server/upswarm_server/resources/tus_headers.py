"""What tus says in headers, read into plain values; whatever can't be read raises `invalid_request`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import NoReturn
from urllib.parse import urlsplit

from falcon import Request

from upswarm import digests
from upswarm_server import documents
from upswarm_server.model import Wish
from upswarm_server.problems import Problem
from upswarm_server.service_tails import Checksum

PATCH_TYPE = "application/offset+octet-stream"

CHECKSUMS: dict[str, Callable[[], digests.Hasher]] = {
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "sha256": partial(digests.hasher, "sha-256"),
    "crc32c": partial(digests.hasher, "crc32c"),  # in network byte order, as RFC 9530 has it
}
"""What `Tus-Checksum-Algorithm` promises."""

_KEY = re.compile(r"[!-+\--~]+")  # what ASCII prints, but for the space and the comma
_URLS = re.compile(r"[!-~]+( [!-~]+)*")
_SHOWN = 64


def number(req: Request, header: str) -> int:
    """A number of bytes."""
    text = req.get_header(header)
    if text is None:
        _refuse(header, "a number of bytes", None)
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        _refuse(header, "a number of bytes", text)
    return int(text)


def wish(req: Request, size_bytes: int, max_metadata_size_bytes: int) -> Wish:
    """What a creation asks for: `filename`, `filetype` and `client_id` in its metadata mean that, the rest is kept."""
    said = {name: value for name in ("Upload-Metadata", "Upload-Concat") if (value := req.get_header(name))}
    metadata = _metadata(said.get("Upload-Metadata", ""))
    filename = metadata.pop("filename", None)
    content_type = _taken(metadata, "filetype", documents.media_type)
    client_id = _taken(metadata, "client_id", documents.text(255))
    if expected := documents.metadata(max_metadata_size_bytes)(metadata):
        _refuse("Upload-Metadata", expected, said["Upload-Metadata"])
    return Wish(
        filename=filename,
        size_bytes=size_bytes,
        content_type=content_type or "application/octet-stream",
        client_id=client_id,
        metadata=dict(metadata),
        tus=said,
    )


def _taken(metadata: dict[str, str], key: str, flaw: Callable[[object], str | None]) -> str | None:
    """This value, taken out of the metadata; one that can't mean what it should is not taken."""
    return metadata.pop(key) if key in metadata and flaw(metadata[key]) is None else None


def _metadata(header: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for member in header.split(",") if header else ():
        key, _, value = member.strip(" ").partition(" ")
        if not _KEY.fullmatch(key) or key in pairs:
            _refuse("Upload-Metadata", "every key once, and in printable ASCII", member)
        pairs[key] = _text(key, value)
    return pairs


def _text(key: str, value: str) -> str:
    """The value as text; what is no UTF-8 stays as it was sent, but a name must be one."""
    data = _decoded("Upload-Metadata", value)
    try:
        return data.decode()
    except UnicodeDecodeError:
        if key == "filename":
            raise Problem("filename_rejected", f"expected UTF-8, found {data[:_SHOWN]!r}") from None
        return value


def parts(concat: str) -> list[str]:
    """The ids in `final;url url`: the last segments of URLs, for what stands before them is the proxies' business."""
    urls = concat.removeprefix("final;")
    if not _URLS.fullmatch(urls):
        _refuse("Upload-Concat", "URLs of parts, with a space between them", concat)
    return [urlsplit(url).path.rpartition("/")[2] for url in urls.split(" ")]


def checksum(req: Request) -> Checksum | None:
    """What `Upload-Checksum` promises, if it is there."""
    header = req.get_header("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    if algorithm not in CHECKSUMS:
        _refuse("Upload-Checksum", f"one of {', '.join(CHECKSUMS)}", algorithm)
    hasher = CHECKSUMS[algorithm]
    expected = _decoded("Upload-Checksum", value)
    if len(expected) != len(hasher().digest()):
        _refuse("Upload-Checksum", f"{len(hasher().digest())} bytes of {algorithm} in base64", value)
    return Checksum(algorithm, expected, hasher)


def _decoded(header: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        _refuse(header, "base64", value)


def _refuse(header: str, expected: str, found: str | None) -> NoReturn:
    shown = "none" if found is None else repr(found[:_SHOWN])
    raise Problem("invalid_request", f"{header}: expected {expected}, found {shown}")
