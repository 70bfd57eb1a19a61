"""How a connection comes to stand: name, route, TLS, through a proxy where there is one; and why it does not.

The names of `socket` and `ssl` are looked up when they are called, so that gevent's stand there once it has patched
them.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import ssl
import time
from functools import lru_cache

from upswarm.transfer.failures import Failure, Interrupted, shortage
from upswarm.transfer.transport import Route, Timeouts
from upswarm.transfer.transport_answer import Answer
from upswarm.transfer.transport_head import tunnel_head
from upswarm.transfer.transport_line import Line
from upswarm.transfer.transport_route import Origin, Proxy

_ANSWER_BYTES = 16 << 10
_SPARED_FILES = 16
"""Of those that the process may open, no connection takes the last ones: a report has to be written in the end."""


def opened(origin: Origin, timeouts: Timeouts, route: Route, proxy: Proxy | None) -> Line:
    """A new connection, with TLS and through a proxy where that is so, all within `connect_s`; raises `Interrupted`."""
    through = f"through the proxy {proxy.origin.tunnel}: " if proxy else ""
    try:
        return _opened(origin, timeouts, route, proxy)
    except TimeoutError as error:
        message = error.strerror or f"no connection within {timeouts.connect_s:g} s"
        raise Interrupted(Failure.CONNECT_TIMEOUT, through + message) from error
    except ssl.SSLCertVerificationError as error:
        raise untrusted(error) from error
    except ConnectionRefusedError as error:
        raise Interrupted(Failure.REFUSED, through + (error.strerror or str(error))) from error
    except (OSError, UnicodeError) as error:
        cause = no_socket() or error
        message = getattr(cause, "strerror", None) or str(cause)
        raise Interrupted(shortage(cause) or Failure.UNREACHABLE, through + message) from error


def no_socket() -> OSError | None:
    """Why not even a socket can be had, if so. Whoever looks up a name needs one, and without it says anything else."""
    try:
        socket.socket().close()
    except OSError as error:
        return error
    return None


def untrusted(error: ssl.SSLCertVerificationError) -> Interrupted:
    """What is said of a certificate that was not believed."""
    hint = "`transfer.tls.ca_file` names the authorities to believe"
    return Interrupted(Failure.UNTRUSTED, f"the server's certificate: {error.verify_message.rstrip('.')}; {hint}")


def _opened(origin: Origin, timeouts: Timeouts, route: Route, proxy: Proxy | None) -> Line:
    ends_s = time.monotonic() + timeouts.connect_s
    sock = _dialled(proxy.origin if proxy else origin, timeouts.connect_s)
    try:
        if origin.scheme == "https":
            if proxy:
                _tunnel(sock, origin, proxy, ends_s)
            sock.settimeout(max(ends_s - time.monotonic(), 0.001))
            sock = _context(route.verify, route.ca_file).wrap_socket(sock, server_hostname=origin.host)
        return Line(sock, timeouts, proxy if origin.scheme == "http" else None)
    except BaseException:
        sock.close()
        raise


def _dialled(origin: Origin, connect_s: float) -> socket.socket:
    sock = socket.create_connection((origin.host, origin.port), connect_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and sock.fileno() >= most - _SPARED_FILES:  # the lowest that is free is taken
        sock.close()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return sock


def _tunnel(sock: socket.socket, origin: Origin, proxy: Proxy, ends_s: float) -> None:
    """Ask a proxy for a way through (RFC 9110, 9.3.6)."""
    answer = Answer("CONNECT")
    sock.sendall(tunnel_head(origin, proxy))
    while not answer.response:
        sock.settimeout(max(ends_s - time.monotonic(), 0.001))
        data = sock.recv(_ANSWER_BYTES)
        if data:
            answer.feed(data)
        else:
            answer.end()
    if not 200 <= answer.response.status < 300:
        raise Interrupted(Failure.UNREACHABLE, f"the proxy answered CONNECT with {answer.response.status}")


@lru_cache
def _context(verify: bool, ca_file: str | None) -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than a handshake."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
