"""The exchange and the uploader on a fake clock, a scripted transport and seeded dice."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from pathlib import Path

from upswarm.content.random import Random
from upswarm.protocols.chunked import Chunked
from upswarm.testing.clock import FakeClock
from upswarm.testing.observer import Notebook
from upswarm.testing.transport import Script, ScriptedTransport
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.budget import RetryBudget
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.habits import UNDISTURBED, Habits
from upswarm.transfer.lanes import Work
from upswarm.transfer.records import Outcome
from upswarm.transfer.retry import Jitter, RetryPolicy
from upswarm.transfer.uploader import Elsewhere, Uploader, UploadSettings, nowhere

CUT = Interrupted(Failure.TORN)
TAKES_S = 0.25
WAIT_S = 10.0
EXACT = RetryPolicy(attempts=4, base_s=1.0, cap_s=100.0, jitter=Jitter.NONE)
"""Pauses of exactly 1, 2 and 4 seconds."""


class Lab:
    """One uploader and everything around it; each request takes a quarter of a second."""

    def __init__(
        self,
        script: Script,
        *,
        retry: RetryPolicy = EXACT,
        sign: Sign = unsigned,
        digest: str | None = None,
        chunk_size_bytes: int | None = None,
        habits: Habits = UNDISTURBED,
        budget: RetryBudget | None = None,
        elsewhere: Elsewhere = nowhere,
    ) -> None:
        self.clock = FakeClock(now_s=100.0)
        self.transport = ScriptedTransport(script, clock=self.clock, takes_s=TAKES_S)
        self.notebook = Notebook()
        self.exchange = Exchange(
            self.transport,
            self.notebook,
            clock=self.clock,
            dice=random.Random(1),
            retry=retry,
            sign=sign,
            budget=budget,
        )
        self.uploader = Uploader(
            protocol=Chunked("client-1"),
            exchange=self.exchange,
            observer=self.notebook,
            settings=UploadSettings(retry, chunk_size_bytes, digest, habits),
            clock=self.clock,
            dice=random.Random(1),
            elsewhere=elsewhere,
        )

    def upload(self, size_bytes: int = 2500, number: int | None = None) -> Outcome:
        return self.uploader.upload(a_file(size_bytes), number=number)

    @property
    def steps(self) -> list[str]:
        """What was sent, as `chunk 2` or `probe`."""
        return [
            f"{sent.request.phase} {sent.request.path.rpartition('/')[2]}"
            if sent.request.phase == "chunk"
            else str(sent.request.phase)
            for sent in self.transport.sent
        ]


def a_file(size_bytes: int = 2500):
    return Random(Path()).open("a.bin", size_bytes, seed=1)


def threads(works: Sequence[Work], /) -> None:
    """Lanes that really send at the same time."""
    running = [threading.Thread(target=work) for work in works]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(WAIT_S)
