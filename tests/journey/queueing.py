"""A server whose capacity is known: it serves one request at a time, first come first served, each for as long.

With N people who do not rest, a request then takes N times as long as its service (Little's law), so the number of
people who hold a limit is the limit divided by the service time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class QueueingServer:
    """Speaks plain PUT. `url` is where it listens, while `serve` runs."""

    def __init__(self, service_s: float) -> None:
        self._service_s = service_s
        self._counter = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._over: asyncio.Event
        self.url = ""

    def run(self) -> None:
        """Serve until `stop`; for a thread of its own."""
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def await_listening(self) -> None:
        """Return when requests can come."""
        assert self._listening.wait(10)

    def stop(self) -> None:
        """End it, from another thread."""
        self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._listening.set()
        await self._over.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        await reader.readexactly(int(length))
        if head.startswith("put"):
            async with self._counter:
                await asyncio.sleep(self._service_s)
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()


@contextmanager
def queueing_server(service_s: float) -> Iterator[QueueingServer]:
    """A server that is ready, and gone afterwards."""
    server = QueueingServer(service_s)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    server.await_listening()
    try:
        yield server
    finally:
        server.stop()
        thread.join(10)
