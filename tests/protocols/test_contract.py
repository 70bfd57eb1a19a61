from collections.abc import Callable

from tests.protocols.chunked_server import ChunkedServer
from upswarm.protocols.chunked import Chunked
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.messages import Request, Response


class TestChunked(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Chunked("client-1")

    def server(self) -> Callable[[Request], Response]:
        return ChunkedServer()
