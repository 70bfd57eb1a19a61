"""What stands between a client and a server: a buffering proxy of our own, and nginx where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.protocols.journeys.servers import free_port, running

# Debian keeps servers where only root looks.
NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
_CONFIGURATION = """\
daemon off;
pid {folder}/pid;
error_log stderr crit;
events {{}}
http {{
  access_log off;
  client_max_body_size {most};
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /ready {{ return 200; }}
    location / {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_request_buffering {buffering};
    }}
  }}
}}
"""


@contextmanager
def nginx(upstream: str, *, buffering: str, most: str = "0") -> Iterator[str]:
    """nginx before a server; `most` is its limit for bodies, 0 is none."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, port=port, upstream=upstream, buffering=buffering, most=most)
        )
        command = [str(NGINX), "-p", folder, "-c", configuration, "-g", "master_process off;"]
        with running(command, f"http://127.0.0.1:{port}/ready"):
            yield f"http://127.0.0.1:{port}"


@contextmanager
def buffering_proxy(upstream: str) -> Iterator[str]:
    """Keeps a request until all of its body is there, and drops it if that does not come; a connection for each."""
    server = urlsplit(upstream)
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as clients:
        accepting = threading.Thread(
            target=_accept, args=(listener, (server.hostname or "", server.port or 80), clients)
        )
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}{server.path}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, server: tuple[str, int], clients: ExitStack) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            clients.enter_context(client)
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()


def _pass_on(client: socket.socket, server: tuple[str, int]) -> None:
    with suppress(OSError), client, client.makefile("rb") as stream:
        lines = [*iter(stream.readline, b"\r\n")]
        fields = (line.partition(b":") for line in lines[1:])
        length = int({name.lower(): value for name, _, value in fields}.get(b"content-length", 0))
        body = stream.read(length)
        if len(body) < length:
            return
        lines.insert(1, b"Connection: close\r\n")
        with socket.create_connection(server) as upstream:
            upstream.sendall(b"".join(lines) + b"\r\n" + body)
            while data := upstream.recv(1 << 16):
                client.sendall(data)
