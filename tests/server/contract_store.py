"""What every store must do. A store's own tests inherit from `StoreContract` and say how one is made."""

from __future__ import annotations

import hashlib
import threading
import uuid

import pytest

from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld, Store

CHUNK_BYTES = 1000


class StoreContract:
    @pytest.fixture
    def store(self) -> Store:
        """A prepared store that waits at most 0.1 s for locks."""
        raise NotImplementedError

    @pytest.fixture
    def upload_id(self, store: Store) -> str:
        """An upload of two and a half chunks, all missing."""
        upload_id = str(uuid.uuid4())
        store.reserve(upload_id, 2 * CHUNK_BYTES + 500, 3)
        return upload_id

    def test_after_reserving_all_chunks_are_missing(self, store: Store, upload_id: str) -> None:
        assert store.marks(upload_id) == MISSING * 3
        assert list(store.uploads()) == [upload_id]

    def test_an_empty_file_has_no_chunks(self, store: Store) -> None:
        upload_id = str(uuid.uuid4())
        store.reserve(upload_id, 0, 0)
        with store.hold(upload_id) as held:
            assert held.marks() == b""
            held.sync()
        store.seal(upload_id)
        assert store.open(upload_id).read(0, 10) == b""

    def test_only_marked_chunks_count(self, store: Store, upload_id: str) -> None:
        with store.slot(upload_id, 1, CHUNK_BYTES) as slot:
            slot.write(b"x" * CHUNK_BYTES, 0)
            assert store.marks(upload_id) == MISSING * 3
            assert slot.mark() == MISSING + RECEIVED + MISSING
        assert store.marks(upload_id) == MISSING + RECEIVED + MISSING

    def test_chunks_stand_in_their_places_in_whatever_order_they_come(self, store: Store, upload_id: str) -> None:
        content = fill(store, upload_id)
        with store.hold(upload_id) as held:
            assert held.digest("sha-256") == hashlib.sha256(content).digest()
        store.seal(upload_id)
        reader = store.open(upload_id)
        assert reader.read(0, 10_000) == content
        assert reader.read(1500, 700) == content[1500:2200]
        assert reader.read(2400, 700) == content[2400:]
        reader.close()
        reader.close()

    def test_a_received_chunk_says_so_and_can_be_compared(self, store: Store, upload_id: str) -> None:
        put(store, upload_id, 0, b"a" * CHUNK_BYTES)
        with store.slot(upload_id, 0, 0) as slot:
            assert slot.received
            assert slot.same(b"a" * 600, 0)
            assert slot.same(memoryview(b"a" * 400), 600)
            assert not slot.same(b"b", 5)
            assert slot.mark() == RECEIVED + MISSING * 2
        assert store.marks(upload_id) == RECEIVED + MISSING * 2

    def test_two_senders_of_one_chunk_take_turns(self, store: Store, upload_id: str) -> None:
        with store.slot(upload_id, 0, 0), pytest.raises(Problem, match="busy"), store.slot(upload_id, 0, 0):
            pytest.fail("two senders have the same chunk")

    def test_a_second_sender_gets_the_chunk_when_the_first_gives_up(self, store: Store, upload_id: str) -> None:
        with store.slot(upload_id, 0, 0) as slot:
            slot.write(b"half", 0)
        with store.slot(upload_id, 0, 0) as slot:
            assert not slot.received

    def test_different_chunks_are_written_at_the_same_time(self, store: Store, upload_id: str) -> None:
        with store.slot(upload_id, 0, 0) as first, store.slot(upload_id, 1, CHUNK_BYTES) as second:
            first.write(b"1" * CHUNK_BYTES, 0)
            second.write(b"2" * CHUNK_BYTES, 0)
            second.mark()
            first.mark()
        assert store.marks(upload_id) == RECEIVED * 2 + MISSING

    def test_nobody_holds_an_upload_while_a_chunk_is_being_written(self, store: Store, upload_id: str) -> None:
        with store.slot(upload_id, 2, 2 * CHUNK_BYTES), pytest.raises(Problem, match="busy"), store.hold(upload_id):
            pytest.fail("held while being written")

    def test_no_chunk_is_written_while_an_upload_is_held(self, store: Store, upload_id: str) -> None:
        with store.hold(upload_id), pytest.raises(Problem, match="busy"), store.slot(upload_id, 2, 2 * CHUNK_BYTES):
            pytest.fail("written while held")

    def test_one_finalize_at_a_time_holds_an_upload(self, store: Store, upload_id: str) -> None:
        with store.hold(upload_id), pytest.raises(Problem, match="busy"), store.hold(upload_id):
            pytest.fail("held twice")

    def test_clearing_makes_every_chunk_missing(self, store: Store, upload_id: str) -> None:
        fill(store, upload_id)
        with store.hold(upload_id) as held:
            held.clear()
        assert store.marks(upload_id) == MISSING * 3

    def test_who_waited_for_a_sealed_upload_finds_it_gone(self, store: Store, upload_id: str) -> None:
        found: list[BaseException] = []

        def wait() -> None:
            try:
                with store.hold(upload_id):
                    pytest.fail("held after it was sealed")
            except NotHeld as error:
                found.append(error)

        with store.hold(upload_id):
            waiting = threading.Thread(target=wait)
            waiting.start()
            store.seal(upload_id)
        waiting.join()
        assert len(found) == 1

    def test_a_sealed_upload_takes_no_chunks(self, store: Store, upload_id: str) -> None:
        fill(store, upload_id)
        store.seal(upload_id)
        store.seal(upload_id)
        assert list(store.uploads()) == []
        with pytest.raises(NotHeld), store.slot(upload_id, 0, 0):
            pytest.fail("a sealed upload took a chunk")
        with pytest.raises(NotHeld):
            store.marks(upload_id)

    def test_a_chunk_that_arrives_after_a_discard_does_not_count(self, store: Store, upload_id: str) -> None:
        with store.slot(upload_id, 0, 0) as slot:
            slot.write(b"late", 0)
            store.discard(upload_id)
            with pytest.raises(NotHeld):
                slot.mark()
        store.discard(upload_id)
        assert list(store.uploads()) == []
        with pytest.raises(NotHeld):
            store.open(upload_id)

    def test_a_removed_file_can_be_read_to_its_end(self, store: Store, upload_id: str) -> None:
        content = fill(store, upload_id)
        store.seal(upload_id)
        reader = store.open(upload_id)
        store.remove(upload_id)
        store.remove(upload_id)
        assert reader.read(0, 10_000) == content
        reader.close()
        with pytest.raises(NotHeld):
            store.open(upload_id)

    def test_uploads_do_not_touch_each_other(self, store: Store, upload_id: str) -> None:
        other = str(uuid.uuid4())
        store.reserve(other, CHUNK_BYTES, 1)
        content = fill(store, upload_id)
        store.discard(other)
        store.seal(upload_id)
        assert store.open(upload_id).read(0, 10_000) == content

    def test_a_working_store_tells_its_free_space(self, store: Store) -> None:
        assert store.free_bytes() > 0


def put(store: Store, upload_id: str, index: int, content: bytes) -> None:
    with store.slot(upload_id, index, index * CHUNK_BYTES) as slot:
        slot.write(content[:300], 0)
        slot.write(memoryview(content)[300:], 300)
        slot.mark()


def fill(store: Store, upload_id: str) -> bytes:
    """Send all chunks of the contract's upload, last one first, and return the file's content."""
    content = bytes(range(256)) * 9 + bytes(196)
    for index in (2, 0, 1):
        put(store, upload_id, index, content[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES])
    return content
