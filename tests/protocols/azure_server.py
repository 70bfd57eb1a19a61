"""Azure's block blobs as a function from request to response: enough of them for tests of the load side."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

from upswarm.transfer.messages import Request, Response


def error(status: int, code: str) -> Response:
    """As Azure writes them: with a mark before the first character."""
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>Why.</Message></Error>'
    return Response(status, {"x-ms-error-code": code}, body.encode())


def listed(*blocks: tuple[str, object]) -> Response:
    """A list of blocks that wait for theirs."""
    inner = "".join(f"<Block><Name>{name}</Name><Size>{size}</Size></Block>" for name, size in blocks)
    body = f"\ufeff<BlockList><CommittedBlocks/><UncommittedBlocks>{inner}</UncommittedBlocks></BlockList>"
    return Response(200, {"content-type": "application/xml"}, body.encode())


class AzureServer:
    """Blobs in memory, by their paths."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, bytes]] = {}
        self.committed: dict[str, dict[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}

    def __call__(self, request: Request) -> Response:
        assert request.headers["x-ms-version"] >= "2019-12-12"
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        name, body = unquote(url.path), b"".join(request.body or ())
        match request.method, query:
            case "PUT", {"comp": "block", "blockid": block_id}:
                self.waiting.setdefault(name, {})[block_id] = body
                return Response(201)
            case "GET", {"comp": "blocklist", "blocklisttype": "uncommitted"}:
                if name not in self.waiting and name not in self.blobs:
                    return error(404, "BlobNotFound")
                blocks = self.waiting.get(name, {})
                return listed(*((block_id, len(blocks[block_id])) for block_id in blocks))
            case "HEAD", {} if not query:
                blob = self.blobs.get(name)
                return Response(404) if blob is None else Response(200, {"content-length": str(len(blob))})
            case "GET", {"restype": "container", "comp": "list", "prefix": prefix}:
                return self._list(prefix, query.get("marker", ""))
            case "PUT", {"comp": "blocklist"}:
                return self._commit(name, body)
        raise AssertionError(f"no route for {request.method} {request.path}")

    def _list(self, prefix: str, marker: str) -> Response:
        """Two names on a page; the marker is the first of the next one."""
        names = [name[1:] for name in sorted(self.blobs) if name[1:].startswith(prefix) and name[1:] >= marker]
        blobs = "".join(f"<Blob><Name>{name}</Name></Blob>" for name in names[:2])
        following = f"<NextMarker>{names[2]}</NextMarker>" if names[2:] else "<NextMarker/>"
        body = f"\ufeff<EnumerationResults><Blobs>{blobs}</Blobs>{following}</EnumerationResults>"
        return Response(200, {"content-type": "application/xml"}, body.encode())

    def _commit(self, name: str, body: bytes) -> Response:
        known = self.committed.get(name, {}) | self.waiting.get(name, {})
        wanted = [element.text or "" for element in ElementTree.fromstring(body).iterfind("Latest")]
        if any(block_id not in known for block_id in wanted):
            return error(400, "InvalidBlockList")
        self.waiting.pop(name, None)
        self.committed[name] = {block_id: known[block_id] for block_id in wanted}
        self.blobs[name] = b"".join(self.committed[name].values())
        return Response(201, {"etag": '"0x1"'})
