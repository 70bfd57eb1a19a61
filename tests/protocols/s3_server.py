"""S3's multipart uploads as a function from request to response: enough of them for tests of the load side."""

from __future__ import annotations

import hashlib
import itertools
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

from upswarm.transfer.messages import Request, Response

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def document(root: str, inner: str, status: int = 200) -> Response:
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{inner}</{root}>'
    return Response(status, {"content-type": "application/xml"}, xml.encode())


def error(status: int, code: str) -> Response:
    """As S3 writes them: in no namespace."""
    return Response(status, {}, f"<Error><Code>{code}</Code><Message>It says why.</Message></Error>".encode())


def part(number: object, size: object, tag: object = '"t"') -> str:
    return f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag><Size>{size}</Size></Part>"


def page(*parts: str, following: object = None) -> Response:
    more = "" if following is None else f"<NextPartNumberMarker>{following}</NextPartNumberMarker>"
    truncated = str(following is not None).lower()
    return document("ListPartsResult", f"{more}<IsTruncated>{truncated}</IsTruncated>{''.join(parts)}")


class S3Server:
    """Uploads in memory, whose parts are listed in pages. `parts` is public: a test may lose one."""

    def __init__(self, page_length: int = 2) -> None:
        self._page_length = page_length
        self._ids = itertools.count(1)
        self.parts: dict[str, dict[int, bytes]] = {}
        self.objects: dict[str, bytes] = {}
        self._tags: dict[str, str] = {}

    def __call__(self, request: Request) -> Response:  # noqa: PLR0911 (one per route)
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        key, body = unquote(url.path), b"".join(request.body or ())
        match request.method, query:
            case "POST", {"uploads": _}:
                return self._create()
            case "PUT", {} if not query:
                return self._put(key, body)
            case "HEAD", {} if not query:
                return self._head(key)
            case "GET", {"list-type": "2", "prefix": prefix}:
                return self._objects(prefix, int(query.get("continuation-token", 0)))
            case _, {"uploadId": upload_id} if upload_id not in self.parts:
                return error(404, "NoSuchUpload")
            case "PUT", {"uploadId": upload_id, "partNumber": number}:
                self.parts[upload_id][int(number)] = body
                return Response(200, {"etag": tag_of(body)})
            case "GET", {"uploadId": upload_id}:
                return self._list(upload_id, int(query.get("part-number-marker", 0)))
            case "POST", {"uploadId": upload_id}:
                return self._complete(key, upload_id, body)
            case "DELETE", {"uploadId": upload_id}:
                del self.parts[upload_id]
                return Response(204)
        raise AssertionError(f"no route for {request.method} {request.path}")

    def _create(self) -> Response:
        upload_id = f"u/{next(self._ids)}+="
        self.parts[upload_id] = {}
        return document("InitiateMultipartUploadResult", f"<UploadId>{upload_id}</UploadId>")

    def _put(self, key: str, body: bytes) -> Response:
        self.objects[key], self._tags[key] = body, tag_of(body)
        return Response(200, {"etag": tag_of(body)})

    def _head(self, key: str) -> Response:
        if key not in self.objects:
            return Response(404)
        return Response(200, {"etag": self._tags[key], "content-length": str(len(self.objects[key]))})

    def _objects(self, prefix: str, begin: int) -> Response:
        keys = [key[1:] for key in sorted(self.objects) if key[1:].startswith(prefix)]
        shown, end = keys[begin : begin + self._page_length], begin + self._page_length
        inner = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.objects[f'/{key}'])}</Size></Contents>" for key in shown
        )
        more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < len(keys) else ""
        return document("ListBucketResult", f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{inner}")

    def _list(self, upload_id: str, marker: int) -> Response:
        parts = self.parts[upload_id]
        behind = [number for number in sorted(parts) if number > marker]
        shown = behind[: self._page_length]
        following = shown[-1] if len(behind) > len(shown) else None
        return page(*(part(number, len(parts[number]), tag_of(parts[number])) for number in shown), following=following)

    def _complete(self, key: str, upload_id: str, body: bytes) -> Response:
        listed = [
            (int(element.findtext("{*}PartNumber", "")), element.findtext("{*}ETag", ""))
            for element in ElementTree.fromstring(body).iterfind("{*}Part")
        ]
        parts = self.parts[upload_id]
        if not listed or any(number not in parts or tag_of(parts[number]) != tag for number, tag in listed):
            return error(400, "InvalidPart")
        del self.parts[upload_id]
        self.objects[key] = b"".join(parts[number] for number, _ in listed)
        self._tags[key] = f'"{hashlib.md5(self.objects[key]).hexdigest()}-{len(listed)}"'
        return document("CompleteMultipartUploadResult", f"<Key>{key}</Key><ETag>{self._tags[key]}</ETag>")


def tag_of(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'
