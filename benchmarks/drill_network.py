"""What the network of a drill costs while nothing is broken: a connection through its proxy, and without, in turns."""

from __future__ import annotations

import argparse
import socket
import statistics
import threading
import time
from urllib.parse import urlsplit

from upswarm.swarm.drill.network import Network

_PIECE = bytes(1 << 20)


def throughput_bytes_per_s(port: int, listener: socket.socket, size_bytes: int) -> float:
    """Send so many bytes to this port, and wait until the listener's side has all of them."""
    sink = threading.Thread(target=_swallow, args=[listener])
    sink.start()
    began_s = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(size_bytes // len(_PIECE)):
            connection.sendall(_PIECE)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    took_s = time.perf_counter() - began_s
    sink.join()
    return size_bytes / took_s


def _swallow(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        buffer = bytearray(len(_PIECE))
        while connection.recv_into(buffer):
            """Thrown away."""
        connection.sendall(b".")


def ratios(size_bytes: int, repeats: int) -> list[tuple[float, float]]:
    """Bytes per second through the proxy, and that divided by the direct way's of the same repeat."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        network = Network(f"http://127.0.0.1:{port}")
        try:
            measured = []
            for _ in range(repeats):
                direct = throughput_bytes_per_s(port, listener, size_bytes)
                proxied = throughput_bytes_per_s(urlsplit(network.url).port or 0, listener, size_bytes)
                measured.append((proxied, proxied / direct))
            return measured
        finally:
            network.stop()


def main() -> None:
    """Print medians, with the lowest and the highest ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill_network", description=__doc__)
    parser.add_argument("--mib", type=int, default=2048, help="how much is sent each time (2048)")
    parser.add_argument("--repeats", type=int, default=5, help="how often (5)")
    arguments = parser.parse_args()
    measured = ratios(arguments.mib << 20, arguments.repeats)
    shares = sorted(share for _, share in measured)
    speed = statistics.median(each for each, _ in measured)
    print(f"through the proxy {speed / 1e9:.2f} GB/s, {statistics.median(shares):.2f} of the direct way "
          f"({shares[0]:.2f} to {shares[-1]:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
