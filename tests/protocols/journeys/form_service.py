"""A service of the first generation's kind: chunks are files in forms, kept one by one and joined at the end."""

from __future__ import annotations

import email
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FormService(ThreadingHTTPServer):
    """What it has: chunks by upload and index, and files by id."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chunks: dict[str, dict[int, bytes]] = {}
        self.files: dict[str, bytes] = {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FormService

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the client was cut off: what came is no form
            self.close_connection = True
            return
        match self.path.split("/")[1:]:
            case ["uploads", upload_id, "chunks"]:
                self._take_chunk(upload_id, body)
            case ["uploads", upload_id, "finalize"]:
                chunks = self.server.chunks.pop(upload_id, {})
                self.server.files[upload_id] = b"".join(chunks[index] for index in sorted(chunks))
                self._answer(200, {"file_id": upload_id})
            case _:
                self._answer(404, {"detail": "Not Found"})

    def _take_chunk(self, upload_id: str, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in email.message_from_bytes(head + body).get_payload()
        }
        if set(fields) != {"index", "file"}:
            self._answer(422, {"detail": "Field required"})
            return
        index = int(fields["index"])
        self.server.chunks.setdefault(upload_id, {})[index] = fields["file"]
        self._answer(200, {"index": index})

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def form_service() -> Iterator[FormService]:
    """A service that is ready, and gone afterwards."""
    with FormService() as service:
        serving = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield service
        finally:
            service.shutdown()
            serving.join()
