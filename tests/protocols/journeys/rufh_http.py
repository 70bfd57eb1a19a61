"""The test server of the IETF draft on a real socket, with the draft's interim answers.

No server of interop version 8 can be had as a package. So that this one does not only agree with the dialect that it
was written with, tus-js-client, by an editor of the draft, bears witness for it where both speak the same version.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.protocols.rufh_server import RufhServer
from upswarm.transfer.messages import Body, Phase, Request, Response

PATH = "/uploads"


class Handler(BaseHTTPRequestHandler):
    """Gives what comes to the server in memory; of a body that is cut, what came is kept."""

    protocol_version = "HTTP/1.1"
    uploads: RufhServer

    def answer(self) -> None:
        headers = {name.title(): value for name, value in self.headers.items()}
        length = int(headers.get("Content-Length", 0))
        data = self.rfile.read(length)
        if len(data) < length:
            self.uploads.held[self.path] += data
            self.close_connection = True
            return
        path = "" if self.path == PATH else self.path
        answer = self.uploads(Request(Phase.CHUNK, self.command, path, headers, Body.of_bytes(data) if data else None))
        if self.command in {"POST", "PATCH"}:
            self._tell(Response(104, {"location": answer.headers["location"]} if self.command == "POST" else {}))
        self._tell(answer)

    do_POST = do_HEAD = do_PATCH = do_DELETE = answer

    def _tell(self, answer: Response) -> None:
        self.send_response_only(answer.status)
        if answer.status not in {104, 204}:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def rufh_server(version: int) -> Iterator[tuple[str, RufhServer]]:
    """Where uploads are created, and the server's memory."""
    handler = type("BoundHandler", (Handler,), {"uploads": RufhServer(version=version)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PATH}", handler.uploads
        finally:
            server.shutdown()
            thread.join()
