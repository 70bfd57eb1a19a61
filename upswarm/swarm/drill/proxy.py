"""A network that can be broken: a TCP proxy between the load and the server, as a process of its own.

It is told what to do by lines on its standard input, and answers each with a line when it is done; when that ends, it
ends too. Otherwise it is a pipe: whoever closes or breaks a connection on one side does so on the other.

    cut             every connection is broken, and none is taken
    slow {...}      bytes come later, or only so many per second: the fields of `Slowness`
    mend            as at the beginning
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

from upswarm.workload.drill import Slowness

_PIECE_BYTES = 256 << 10
_SLOW_PIECE_BYTES = 16 << 10
_BACKLOG = 1024
_QUEUED_PIECES = 256
"""So many may be on their way in a slow network, which is its window: 4 MiB for each connection and direction."""
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a free port of this host, and passes everything on to the server's."""

    def __init__(self, server: tuple[str, int], host: str) -> None:
        self._server = server
        self._listener = _listener(host)
        self._slowness: Slowness | None = None
        self._budgets = (_Budget(), _Budget())
        self._connections: dict[asyncio.Task[Any], tuple[socket.socket, ...]] = {}
        self._accepting: asyncio.Task[Any] | None = None
        self.port: int = self._listener.getsockname()[1]

    def open(self) -> None:
        """Take connections."""
        if self._accepting is None:
            self._listener.listen(_BACKLOG)
            self._accepting = asyncio.create_task(self._accept())

    def cut(self) -> None:
        """Break every connection, and refuse new ones; the port stays ours."""
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            self._listener.shutdown(socket.SHUT_RD)  # on Linux a bound socket that does not listen any more
        for task, sockets in self._connections.items():
            _reset(sockets)
            task.cancel()

    def slow(self, slowness: Slowness) -> None:
        """From now on bytes take so long; new connections too, for their first bytes do."""
        self._slowness = slowness
        self._budgets = (_Budget(slowness.bandwidth_bytes_per_s), _Budget(slowness.bandwidth_bytes_per_s))

    def mend(self) -> None:
        """Be a pipe again; what is on its way still comes late."""
        self._slowness = None
        self.open()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            task = asyncio.create_task(self._join(client))
            self._connections[task] = (client,)
            task.add_done_callback(self._connections.pop)

    async def _join(self, client: socket.socket) -> None:
        """One connection, from its first byte to its last."""
        server = socket.socket(socket.AF_INET6 if ":" in self._server[0] else socket.AF_INET)
        self._connections[asyncio.current_task()] = (client, server)  # type: ignore[index]
        try:
            for each in (client, server):
                each.setblocking(False)
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(server, self._server)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(client, server, 0))
                both.create_task(self._pump(server, client, 1))
        except (OSError, ExceptionGroup):
            _reset((client, server))  # as the other side did
        finally:
            client.close()
            server.close()

    async def _pump(self, source: socket.socket, target: socket.socket, direction: int) -> None:
        """Everything that comes in one direction, until its end."""
        loop, buffer, late = asyncio.get_running_loop(), memoryview(bytearray(_PIECE_BYTES)), _Late(target)
        try:
            while True:
                room = buffer if self._slowness is None else buffer[:_SLOW_PIECE_BYTES]
                size_bytes = await loop.sock_recv_into(source, room)
                slowness = self._slowness
                if slowness is None:
                    await late.emptied()
                if size_bytes == 0:
                    break
                if slowness is None:
                    await loop.sock_sendall(target, buffer[:size_bytes])
                else:
                    await self._budgets[direction].take(size_bytes)
                    await late.send(bytes(buffer[:size_bytes]), slowness)
            await late.emptied()
            with suppress(OSError):
                target.shutdown(socket.SHUT_WR)
        finally:
            late.close()


class _Late:
    """Bytes on their way in a slow network: in order, each piece when it is due."""

    def __init__(self, target: socket.socket) -> None:
        self._target = target
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUED_PIECES)
        self._sending: asyncio.Task[None] | None = None

    async def send(self, piece: bytes, slowness: Slowness) -> None:
        """Return when it is on its way."""
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        elif self._sending.done():
            await self._sending  # it failed, and so do we
        delay_s = slowness.delay_s + random.uniform(-slowness.jitter_s, slowness.jitter_s)
        await self._pieces.put((asyncio.get_running_loop().time() + max(0.0, delay_s), piece))

    async def emptied(self) -> None:
        """Return when everything has arrived."""
        if self._sending is not None:
            joined = asyncio.create_task(self._pieces.join())
            await asyncio.wait({joined, self._sending}, return_when=asyncio.FIRST_COMPLETED)
            joined.cancel()
            if self._sending.done():
                await self._sending

    def close(self) -> None:
        """What has not arrived never will."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s, piece = await self._pieces.get()
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            await loop.sock_sendall(self._target, piece)
            self._pieces.task_done()


class _Budget:
    """So many bytes per second for all connections together, one piece after the other."""

    def __init__(self, bytes_per_s: float | None = None) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_s = 0.0

    async def take(self, size_bytes: int) -> None:
        """Return when so many more may go."""
        if self._bytes_per_s is None:
            return
        now_s = asyncio.get_running_loop().time()
        self._free_s = max(now_s, self._free_s) + size_bytes / self._bytes_per_s
        await asyncio.sleep(self._free_s - now_s)


def _listener(host: str) -> socket.socket:
    """Bound, and not yet listening; to a port by its number, for one that the system chose is lost with a cut."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        listener = socket.socket()
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:  # somebody was quicker
            listener.close()
        else:
            return listener
    raise OSError("no port is free")


def _reset(sockets: tuple[socket.socket, ...]) -> None:
    """Close them so that the other ends see a broken connection, not the end of one."""
    for each in sockets:
        with suppress(OSError):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


async def serve(server: tuple[str, int], host: str) -> None:
    """Say which port is ours, and obey until the input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each connection takes two
    proxy = Proxy(server, host)
    proxy.open()
    print(proxy.port, flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().strip():
        word, _, document = line.partition(" ")
        if word == "cut":
            proxy.cut()
        elif word == "slow":
            proxy.slow(Slowness(**json.loads(document)))
        else:
            proxy.mend()
        print(word, flush=True)


if __name__ == "__main__":
    asyncio.run(serve((sys.argv[1], int(sys.argv[2])), sys.argv[3]))
