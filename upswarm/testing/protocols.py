"""What every dialect must keep. Subclass the contract, say which protocol and who answers, and pytest runs it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.transfer.dialect import Flow, Session, UploadProtocol
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Inspectable, Listable
from upswarm.transfer.suspended import session_document, session_of

T = TypeVar("T")
CHUNK_BYTES = 1000
SIZE_BYTES = 2500
UNUSABLE = [
    Response(status, {}, body)
    for status in (200, 201, 204, 302, 400, 401, 404, 409, 413, 418, 429, 500, 503)
    for body in (
        b"", b"not json", b"\xff", b"[]", b"null", b"{}", b'{"code": ["a list"]}', b'{"upload_id": 7}',
        b'{"upload_id": "u", "chunk_size_bytes": 0}', b'{"upload_id": "u", "chunk_size_bytes": -5}',
        b'{"upload_id": "u", "chunk_size_bytes": true}', b'{"received_chunks": [1, "a", [2]]}',
        b'{"received_chunks": [[-1, 900]]}', b'{"received_chunks": [[null, 0]]}',
    )
]  # fmt: skip
"""Answers that a server should not give, and sooner or later does."""


class ProtocolContract:
    """Claims about an `UploadProtocol`; `protocol` and `server` are to be overridden."""

    def protocol(self) -> UploadProtocol:
        """The dialect under test."""
        raise NotImplementedError

    def server(self) -> Callable[[Request], Response]:
        """A function that answers as a fresh server of this protocol would, and takes chunks of 1000 bytes."""
        raise NotImplementedError

    def test_a_step_is_a_generator_that_does_no_io(self) -> None:
        """The driver sends, waits and measures; a dialect that did so itself would not be measured."""
        with _no_io():
            walk = _Walk(self)
            assert all(inspect.isgenerator(flow) for flow in walk.every_step())
            assert walk.seen == []
            walk.to_the_end()

    def test_a_file_travels(self) -> None:
        """Create, every chunk, finalize: the receipt is for the whole file."""
        receipt = _Walk(self).to_the_end()
        assert receipt.size_bytes == SIZE_BYTES
        assert receipt.file_id

    def test_an_empty_file_is_finalized_without_a_chunk(self) -> None:
        """An empty file is a file."""
        walk = _Walk(self, size_bytes=0)
        assert walk.to_the_end().size_bytes == 0
        assert all(request.phase is Phase.FINALIZE for request in walk.seen)

    def test_a_new_upload_holds_nothing(self) -> None:
        """Neither the session that create returns nor the one that a probe returns."""
        walk = _Walk(self)
        assert walk.session.held == NOTHING
        assert walk.drive(walk.protocol.probe(walk.session)).held == NOTHING

    def test_a_chunk_that_was_sent_is_held(self) -> None:
        """The new session says so, and a probe of the old one finds the same."""
        walk = _Walk(self)
        chunk = walk.session.grid.chunk(0)
        after = walk.drive(walk.protocol.send(walk.session, chunk, walk.file, None))
        assert after.held.covers(chunk.offset, chunk.end)
        probed = walk.drive(walk.protocol.probe(walk.session)).held
        assert probed == (after.held if walk.protocol.caps.resumes else NOTHING)

    def test_a_chunk_may_be_sent_again(self) -> None:
        """After a cut nobody knows whether it arrived; where chunks come in order, the server says that it did."""
        walk = _Walk(self)
        chunk = walk.session.grid.chunk(0)
        once = walk.drive(walk.protocol.send(walk.session, chunk, walk.file, None))
        again = walk.held_or_failure(walk.protocol.send(walk.session, chunk, walk.file, None))
        assert again == once.held or (again is Failure.SYNC and walk.protocol.caps.sequential)

    def test_what_a_probe_finds_is_enough_to_go_on(self) -> None:
        """Whoever resumes has no more than the session of the beginning and the answer to the probe."""
        walk = _Walk(self)
        if not walk.protocol.caps.resumes:
            return
        walk.drive(walk.protocol.send(walk.session, walk.session.grid.chunk(0), walk.file, None))
        walk.session = walk.drive(walk.protocol.probe(walk.session))
        assert walk.to_the_end().size_bytes == SIZE_BYTES

    def test_chunk_sizes_fit_what_the_protocol_can_do(self) -> None:
        """Where a client's wish does not, it is made to."""
        caps = self.protocol().caps
        for wish_bytes in (1, CHUNK_BYTES, 100 << 20, None):
            size_bytes = caps.chunk_size_bytes(wish_bytes, 1 << 40)
            assert size_bytes >= caps.min_chunk_bytes
            assert size_bytes % caps.multiple_bytes == 0
            assert caps.max_chunk_bytes is None or size_bytes <= caps.max_chunk_bytes

    def test_chunk_requests_carry_exactly_the_bytes_of_the_file(self) -> None:
        """Each byte once, and the same bytes when a body is read again."""
        walk = _Walk(self)
        walk.to_the_end()
        bodies = [request.body for request in walk.seen if request.phase is Phase.CHUNK and request.body is not None]
        data = b"".join(walk.file.views(0, SIZE_BYTES))
        assert b"".join(b"".join(body) for body in bodies) == data
        assert b"".join(b"".join(body) for body in bodies) == data
        assert all(len(body) == len(b"".join(body)) for body in bodies)

    def test_a_session_is_a_value(self) -> None:
        """A step that fails half-way leaves the session as it was, because no step changes one."""
        walk = _Walk(self)
        before = repr(walk.session)
        walk.to_the_end()
        assert repr(walk.session) == before

    def test_another_process_can_go_on_with_a_session(self) -> None:
        """What is remembered passes through JSON and msgpack; see `Caps.state_to_plain`."""
        walk = _Walk(self)
        for chunk in walk.session.grid.not_held(NOTHING):
            walk.session = self._handed_over(walk.session)
            walk.session = walk.drive(walk.protocol.send(walk.session, chunk, walk.file, None))
        walk.session = self._handed_over(walk.session)
        assert walk.to_the_end().size_bytes == SIZE_BYTES

    def _handed_over(self, session: Session) -> Session:
        caps = self.protocol().caps
        again = session_of(json.loads(json.dumps(session_document(session, caps))), caps)
        assert again == session
        return again

    def test_every_request_says_what_it_is_for(self) -> None:
        """The phase is the row of the report in which a request is counted."""
        walk = _Walk(self)
        protocol, session = walk.protocol, walk.session
        assert walk.phases_of(protocol.create(walk.file, CHUNK_BYTES)) <= {Phase.INIT}
        for chunk in session.grid.not_held(NOTHING):
            walk.seen.clear()
            session = walk.drive(protocol.send(session, chunk, walk.file, None))
            assert {request.phase for request in walk.seen} <= {Phase.CHUNK}
        assert walk.phases_of(protocol.probe(session)) <= {Phase.PROBE}
        assert walk.phases_of(protocol.finalize(session, walk.file)) <= {Phase.FINALIZE}
        aborted = _Walk(self)
        assert aborted.phases_of(aborted.protocol.abort(aborted.session)) <= {Phase.ABORT}

    def test_a_file_that_arrived_can_be_asked_for(self) -> None:
        """Where the protocol has a way: as long as it was sent, and with no other digest than its own."""
        walk = _Walk(self)
        receipt, protocol = walk.to_the_end(), walk.protocol
        if not isinstance(protocol, Inspectable):
            return
        assert walk.phases_of(protocol.inspect(receipt)) == {Phase.PROBE}
        stored = walk.drive(protocol.inspect(receipt))
        assert stored.size_bytes in {None, SIZE_BYTES}
        if stored.digest is not None:
            assert stored.digest.value == walk.file.digest(stored.digest.algorithm, 0, SIZE_BYTES)

    def test_a_file_that_is_not_there_is_gone(self) -> None:
        """An audit asks by a receipt, and the answer must not be taken for anything else."""
        walk, elsewhere = _Walk(self), _Walk(self)
        receipt, protocol = walk.to_the_end(), walk.protocol
        if isinstance(protocol, Inspectable):
            elsewhere.drive(elsewhere.protocol.abort(elsewhere.session))
            assert elsewhere.failure(protocol.inspect(receipt)) is Failure.GONE

    def test_a_file_that_arrived_is_in_the_list(self) -> None:
        """Under the id of its receipt; page by page, where the protocol has a list."""
        walk = _Walk(self)
        receipt, protocol = walk.to_the_end(), walk.protocol
        if not isinstance(protocol, Listable):
            return
        found, following = [], ""
        while page := walk.drive(protocol.listing("a", following)):
            found += [each.file_id for each in page.files]
            following = page.following
            if not following:
                break
        assert found == [receipt.file_id]

    def test_every_path_leads_to_the_target(self) -> None:
        """Absolute within the target, or a whole URL, or empty for the target itself."""
        walk = _Walk(self)
        walk.to_the_end()
        assert all(request.path.startswith(("/", "http://", "https://")) or not request.path for request in walk.seen)

    def test_an_unusable_answer_is_a_fault_and_nothing_else(self) -> None:
        """Anything but a `Fault` would look like a bug of the user's own, and a nonsense session would spread."""
        walk = _Walk(self)
        for answer in UNUSABLE:
            for flow in walk.every_step():
                _assert_survives(flow, answer, walk.file)


class _Walk:
    """One upload of a contract: its file, its dialect, its session, and every request that was yielded."""

    def __init__(self, contract: ProtocolContract, size_bytes: int = SIZE_BYTES) -> None:
        self._server = contract.server()
        self.protocol = contract.protocol()
        self.file: File = Random(Path()).open("a.bin", size_bytes, seed=1)
        self.seen: list[Request] = []
        self.session = self.drive(self.protocol.create(self.file, CHUNK_BYTES))
        self.seen.clear()

    def drive(self, flow: Flow[T]) -> T:
        try:
            request = next(flow)
            while True:
                self.seen.append(request)
                request = flow.send(self._server(request))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def held_or_failure(self, flow: Flow[Session]) -> Ranges | Failure:
        try:
            return self.drive(flow).held
        except Fault as fault:
            return fault.kind

    def failure(self, flow: Flow[Any]) -> Failure | None:
        try:
            self.drive(flow)
        except Fault as fault:
            return fault.kind
        return None

    def phases_of(self, flow: Flow[Any]) -> set[Phase]:
        self.seen.clear()
        self.drive(flow)
        return {request.phase for request in self.seen}

    def to_the_end(self) -> Receipt:
        session = self.session
        for chunk in session.grid.not_held(session.held):
            session = self.drive(self.protocol.send(session, chunk, self.file, None))
        return self.drive(self.protocol.finalize(session, self.file))

    def every_step(self) -> list[Flow[Any]]:
        chunk, protocol, receipt = self.session.grid.chunk(0), self.protocol, Receipt("/f", SIZE_BYTES)
        asks = [protocol.inspect(receipt)] if isinstance(protocol, Inspectable) else []
        lists = [protocol.listing("a", "")] if isinstance(protocol, Listable) else []
        return [
            *asks,
            *lists,
            self.protocol.create(self.file, CHUNK_BYTES),
            self.protocol.send(self.session, chunk, self.file, None),
            self.protocol.probe(self.session),
            self.protocol.finalize(self.session, self.file),
            self.protocol.abort(self.session),
        ]


def _assert_survives(flow: Flow[Any], answer: Response, file: File) -> None:
    """Give the same answer to whatever the flow asks, a few times at most."""
    try:
        next(flow)
        for _ in range(5):
            flow.send(answer)
    except StopIteration as end:
        if isinstance(end.value, Session):
            _assert_usable(end.value, answer, file)
    except Fault:
        pass
    except Exception as error:
        raise AssertionError(f"expected a Fault after {answer}, found {error!r}") from error


def _assert_usable(session: Session, answer: Response, file: File) -> None:
    assert session.grid.chunk_size_bytes > 0, answer
    assert all(0 <= start < end <= file.size_bytes for start, end in session.held), answer


@contextmanager
def _no_io() -> Iterator[None]:
    """Sockets, files and sleeping are an `AssertionError` in here."""
    forbidden = AssertionError("a dialect does no I/O and does not wait")
    with (
        mock.patch("socket.socket", side_effect=forbidden),
        mock.patch("builtins.open", side_effect=forbidden),
        mock.patch("time.sleep", side_effect=forbidden),
    ):
        yield
