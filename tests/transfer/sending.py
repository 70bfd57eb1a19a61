"""Requests to send."""

from pathlib import Path

from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.messages import Body, Phase, Request

MiB = 1 << 20
PROBE = Request(Phase.PROBE, "GET", "/x")


def put(size_bytes: int, file: File | None = None) -> Request:
    file = file or Random(Path()).open("a.bin", size_bytes, seed=3)
    return Request(Phase.CHUNK, "PUT", "/x", {"Content-Type": "application/octet-stream"},
                   Body.of_chunk(file, Chunk(0, 0, size_bytes)))  # fmt: skip
