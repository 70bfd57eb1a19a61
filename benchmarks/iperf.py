"""The machine's own limit: iperf3 over loopback, which moves bytes between two sockets and keeps nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from benchmarks import installs
from benchmarks.client import PATIENCE_S, UnsuccessfulError
from benchmarks.samples import GIB, Sample
from benchmarks.servers import Target


def take(targets: Sequence[Target], streams: int, seconds: float) -> Sample:
    """As many clients at once as there are servers, each with this many streams."""
    before_s = sum(target.cpu_s() for target in targets)
    clients = [_client(target.port, streams, seconds) for target in targets]
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


def _client(port: int, streams: int, seconds: float) -> subprocess.Popen[str]:
    asked = ["--port", str(port), "--time", str(max(1, round(seconds))), "--parallel", str(streams), "--json"]
    command = [installs.tool("iperf3"), "--client", "127.0.0.1", *asked]
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
