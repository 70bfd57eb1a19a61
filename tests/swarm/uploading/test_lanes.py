"""Long work in one greenlet, and what the others can do meanwhile."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket

from upswarm import digests
from upswarm.swarm.uploading.lanes import let_others_run

PIECES = 16


def test_sockets_are_served_while_a_file_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finalize of one upload must not stand still the chunks of all others."""
    monkeypatch.setattr(digests, "_pause", let_others_run)
    here, there = socket.socketpair()
    answered = []

    def echo() -> None:
        while data := there.recv(1):
            there.sendall(data)

    def ask() -> None:
        while True:
            here.sendall(b"?")
            answered.append(here.recv(1))

    others = [gevent.spawn(echo), gevent.spawn(ask)]
    gevent.spawn(digests.digest_of, "crc32c", (memoryview(bytes(4 << 20)) for _ in range(PIECES))).join()
    gevent.killall(others)
    here.close()
    there.close()
    assert len(answered) >= PIECES // 2
