"""The limit of the machine, or of a path: iperf3, which moves bytes between two sockets and keeps nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks import installs, servers
from benchmarks.client import PATIENCE_S, UnsuccessfulError
from benchmarks.samples import GIB, Sample
from benchmarks.servers import Target


class Path(NamedTuple):
    """From where to where: what enters the network of the client, and of the server, which has this address in it."""

    address: str
    client: Sequence[str] = ()
    server: Sequence[str] = ()


def over(path: Path, streams: int, seconds: float) -> float:
    """Bytes per second that one client and one server move over a path."""
    port = servers.free_port()
    serve = [*path.server, installs.tool("iperf3"), "--server", "--one-off", "--port", str(port), "--forceflush"]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        while "listening" not in server.stdout.readline():
            if server.poll() is not None:
                raise servers.NotStartedError("iperf3 --server did not start")
        end = _end(_client(port, streams, seconds, path))
    finally:
        server.kill()
        server.communicate()
    return float(end["sum_received"]["bits_per_second"]) / 8


def take(targets: Sequence[Target], streams: int, seconds: float) -> Sample:
    """As many clients at once as there are servers, each with this many streams."""
    before_s = sum(target.cpu_s() for target in targets)
    clients = [_client(target.port, streams, seconds, Path("127.0.0.1")) for target in targets]
    ends = [_end(client) for client in clients]
    server_s = sum(target.cpu_s() for target in targets) - before_s
    received = [end["sum_received"] for end in ends]
    gib = sum(one["bytes"] for one in received) / GIB
    client_s = sum(end["cpu_utilization_percent"]["host_total"] / 100 * end["sum_sent"]["seconds"] for end in ends)
    return Sample(
        chunk_bytes_per_s=sum(one["bits_per_second"] / 8 for one in received),
        server_s_per_gib=server_s / gib,
        client_s_per_gib=client_s / gib,
    )


def _client(port: int, streams: int, seconds: float, path: Path) -> subprocess.Popen[str]:
    asked = ["--port", str(port), "--time", str(max(1, round(seconds))), "--parallel", str(streams), "--json"]
    command = [*path.client, installs.tool("iperf3"), "--client", path.address, *asked]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _end(client: subprocess.Popen[str]) -> dict[str, Any]:
    try:
        said, _ = client.communicate(timeout=PATIENCE_S)
    finally:
        client.kill()
    found = json.loads(said)
    if "error" in found:
        raise UnsuccessfulError(f"iperf3: {found['error']}")
    end: dict[str, Any] = found["end"]
    return end
