"""How each target is spoken to: begin a file, send its chunks, finish it, remove it. One instance is one connection."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.client import Connection, head
from benchmarks.crowd import Steps, clock
from upswarm import digests

PHASES = ("begin", "chunks", "finish", "remove")
"""The phases of a file. What `remove` takes is in no figure: it keeps the file system from filling."""


class Work(NamedTuple):
    """What one connection sends in a round: a file of `chunk_count` chunks, all of them views of one buffer."""

    chunk: memoryview
    chunk_count: int

    @property
    def size_bytes(self) -> int:
        return len(self.chunk) * self.chunk_count


class Dialect:
    """PUT of every chunk under a name of its own, with nothing before and after: the sinks, and the base of all."""

    makes_files = False

    def __init__(self, connection: Connection, work: Work) -> None:
        self.connection = connection
        self.work = work
        self.name = uuid.uuid4().hex
        self._heads: list[bytes] = []

    def begin(self) -> None:
        """What is asked before the first chunk."""

    def head(self, index: int) -> bytes:
        """The head of a chunk's request."""
        return head("PUT", f"/{self.name}-{index}", len(self.work.chunk))

    def send(self, request_head: bytes) -> None:
        """Send a chunk and hear that it has come."""
        self.connection.send(request_head, self.work.chunk)

    def finish(self) -> None:
        """What is asked after the last chunk."""

    def remove(self) -> None:
        """Free the space."""

    def steps(self) -> Steps:
        """The phases for a crowd."""
        return {"begin": self._begin, "chunks": self._chunks, "finish": self._finish, "remove": self._remove}

    def _begin(self) -> Sequence[float]:
        self.begin()
        self._heads = [self.head(index) for index in range(self.work.chunk_count)]
        return ()

    def _chunks(self) -> Sequence[float]:
        done_s = []
        for request_head in self._heads:
            self.send(request_head)
            done_s.append(clock())
        return done_s

    def _finish(self) -> Sequence[float]:
        self.finish()
        return (clock(),)

    def _remove(self) -> Sequence[float]:
        self.remove()
        return ()


class WebDav(Dialect):
    """nginx's DAV module: every chunk is a whole file."""

    makes_files = True

    def remove(self) -> None:
        for index in range(self.work.chunk_count):
            self.connection.ask("DELETE", f"/{self.name}-{index}")


class Upswarm(Dialect):
    """The chunked protocol, `server/PROTOCOL.md`; with `digest`, every chunk carries it."""

    makes_files = True
    digest = ""

    def __init__(self, connection: Connection, work: Work) -> None:
        super().__init__(connection, work)
        self._headers = {"content_type": "application/octet-stream"}
        if self.digest:
            found = digests.digest_of(self.digest, [work.chunk])
            self._headers["content_digest"] = digests.format_header(self.digest, found)

    def begin(self) -> None:
        wish = {"filename": self.name, "size_bytes": self.work.size_bytes, "chunk_size_bytes": len(self.work.chunk)}
        self.url = self.connection.ask_json("POST", "/v1/uploads", wish).headers["location"]

    def head(self, index: int) -> bytes:
        return head("PUT", f"{self.url}/chunks/{index}", len(self.work.chunk), **self._headers)

    def finish(self) -> None:
        self.file_url = self.connection.ask("POST", f"{self.url}/finalize").headers["location"]

    def remove(self) -> None:
        self.connection.ask("DELETE", self.file_url)


class UpswarmCrc32c(Upswarm):
    digest = "crc32c"


class UpswarmSha256(Upswarm):
    digest = "sha-256"


class FirstGenerationRaw(Dialect):
    """`first_generation.py` with the chunk as the request's body."""

    makes_files = True

    def begin(self) -> None:
        self.name = uuid.uuid4().hex

    def head(self, index: int) -> bytes:
        return head("PUT", f"/uploads/{self.name}/chunks/{index}", len(self.work.chunk))

    def finish(self) -> None:
        self.connection.ask("POST", f"/uploads/{self.name}/finalize")

    def remove(self) -> None:
        self.connection.ask("DELETE", f"/files/{self.name}")


class FirstGenerationMultipart(FirstGenerationRaw):
    """`first_generation.py` with the chunk in a form."""

    _BOUNDARY = "upswarm-benchmark"
    _END = memoryview(f"\r\n--{_BOUNDARY}--\r\n".encode())

    def head(self, index: int) -> bytes:
        start = self._start(index)
        length_bytes = len(start) + len(self.work.chunk) + len(self._END)
        form = f"multipart/form-data; boundary={self._BOUNDARY}"
        return head("POST", f"/uploads/{self.name}/chunks", length_bytes, content_type=form) + start

    def send(self, request_head: bytes) -> None:
        self.connection.send(request_head, self.work.chunk, self._END)

    def _start(self, index: int) -> bytes:
        part = f"--{self._BOUNDARY}\r\nContent-Disposition: form-data; name="
        return (
            f'{part}"index"\r\n\r\n{index}\r\n'
            f'{part}"file"; filename="chunk"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()


class Tus(Dialect):
    """tus 1.0.0: the chunks of a file one after the other, the file is done with its last byte."""

    makes_files = True

    def begin(self) -> None:
        name = base64.b64encode(self.name.encode()).decode()
        length = str(self.work.size_bytes)
        asked = {"tus_resumable": "1.0.0", "upload_length": length, "upload_metadata": f"filename {name}"}
        location = self.connection.ask("POST", "/files", **asked).headers["location"]
        self.path = "/" + location.partition("://")[2].partition("/")[2] if "://" in location else location

    def head(self, index: int) -> bytes:
        return head(
            "PATCH",
            self.path,
            len(self.work.chunk),
            tus_resumable="1.0.0",
            upload_offset=str(index * len(self.work.chunk)),
            content_type="application/offset+octet-stream",
        )

    def remove(self) -> None:
        self.connection.ask("DELETE", self.path, tus_resumable="1.0.0")
