"""The real engine against real servers: uploader, exchange and transport, as a user of a run has them; no Locust."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.transfer.lab import threads
from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.testing.observer import Notebook
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.dialect import Session, UploadProtocol
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.records import Outcome
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_requests import RequestsTransport
from upswarm.transfer.uploader import Uploader, UploadSettings

RETRY = RetryPolicy(attempts=4, base_s=0.05, cap_s=0.2)


@dataclass(frozen=True, slots=True)
class Engine:
    """An uploader, what it has observed, and the way to drive a single step."""

    uploader: Uploader
    notebook: Notebook

    def upload(self, file: File) -> Outcome:
        return self.uploader.upload(file)

    def begin(self, file: File, chunks: int) -> Session:
        """An upload that is left behind after some chunks."""
        drive, protocol = self.uploader.exchange.drive, self.uploader.protocol
        session = drive(protocol.create(file, self.uploader.settings.chunk_size_bytes))
        for chunk, _ in zip(session.grid.not_held(session.held), range(chunks), strict=False):
            session = drive(protocol.send(session, chunk, file, None))
        return session

    @property
    def phases(self) -> list[str]:
        return [str(attempt.phase) for attempt in self.notebook.attempts]


@contextmanager
def engine(
    protocol: UploadProtocol,
    url: str,
    chunk_size_bytes: int,
    sign: Sign = unsigned,
    *,
    lanes: int = 1,
    digest: str | None = None,
) -> Iterator[Engine]:
    """An engine against the server at this URL; each lane has a connection of its own."""
    endpoint, timeouts = protocol.caps.endpoint(url), Timeouts(connect_s=5, idle_s=20)
    transports = [RequestsTransport(endpoint, timeouts) for _ in range(lanes)]
    notebook, clock, dice = Notebook(), SystemClock(), random.Random(1)
    exchange, *more_lanes = (
        Exchange(each, notebook, clock=clock, dice=dice, retry=RETRY, sign=sign) for each in transports
    )
    settings = UploadSettings(RETRY, chunk_size_bytes, digest)
    uploader = Uploader(
        protocol=protocol,
        exchange=exchange,
        more_lanes=more_lanes,
        together=threads,
        observer=notebook,
        settings=settings,
        clock=clock,
        dice=dice,
    )
    try:
        yield Engine(uploader, notebook)
    finally:
        for each in transports:
            each.close()


def a_file(name: str, size_bytes: int) -> File:
    return Random(Path()).open(name, size_bytes, seed=zlib.crc32(name.encode()))


def content(file: File) -> bytes:
    return b"".join(file.views(0, file.size_bytes))
