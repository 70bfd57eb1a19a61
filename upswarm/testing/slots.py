"""What every store's slots must keep: the places of single chunks."""

from __future__ import annotations

import os
import tempfile
import uuid
from functools import partial
from pathlib import Path

from upswarm.testing.claims import may_raise, race, raises, returned
from upswarm.testing.trial import CHUNK_BYTES, StoreClaims
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld, PipedSlot


class SlotClaims(StoreClaims):
    """Claims about a `Slot`: the place of one chunk."""

    def test_only_a_marked_chunk_counts(self) -> None:
        """What was written and not marked is a torn chunk."""
        with self.upload() as upload:
            with upload.slot(1) as slot:
                slot.write(upload.chunk(1), 0)
                assert upload.marks() == MISSING * 3
                assert slot.mark() == MISSING + RECEIVED + MISSING
            assert upload.marks() == MISSING + RECEIVED + MISSING

    def test_a_chunk_is_marked_again_without_harm(self) -> None:
        """By the same sender, and by one that repeats the chunk."""
        with self.upload() as upload:
            upload.put(0)
            with upload.slot(0) as slot:
                assert slot.mark() == slot.mark() == RECEIVED + MISSING * 2
            assert upload.marks() == RECEIVED + MISSING * 2

    def test_pieces_stand_where_they_were_put(self) -> None:
        """However small they are, and though the server takes the next piece into the same buffer."""
        with self.upload(CHUNK_BYTES) as upload:
            buffer = memoryview(bytearray(CHUNK_BYTES))
            with upload.slot(0) as slot:
                for start, end in [(0, 500), (500, 501), (501, 999), (999, 1000)]:
                    buffer[: end - start] = upload.content[start:end]
                    slot.write(buffer[: end - start], start)
                    buffer[:] = bytes(CHUNK_BYTES)
                slot.mark()
            upload.seal()
            assert upload.read() == upload.content

    def test_a_slot_that_takes_pipes_takes_all_that_is_promised_and_nothing_more(self) -> None:
        """Only where a slot has this ability; the server then hands bytes over without reading them."""
        with self.upload(CHUNK_BYTES) as upload:
            with upload.slot(0) as slot:
                slot.write(upload.content[:300], 0)
                if isinstance(slot, PipedSlot):
                    left = _through_a_pipe(slot, upload.content[300:] + b"next", CHUNK_BYTES - 300, 300)
                    assert left == b"next", f"expected the bytes of the next request to be left, found {left!r}"
                else:
                    slot.write(upload.content[300:], 300)
                slot.mark()
            upload.seal()
            assert upload.read() == upload.content

    def test_a_received_chunk_says_so_and_can_be_compared(self) -> None:
        """Any piece of it, at any distance; other bytes and bytes beyond its end are not the same."""
        with self.upload() as upload:
            upload.put(2)
            content = upload.chunk(2)
            with upload.slot(2) as slot:
                assert slot.received
                assert slot.same(content, 0)
                assert slot.same(memoryview(content)[300:], 300)
                assert not slot.same(content[1:300], 0)
                assert not slot.same(bytes(len(content)), 0)
                assert not slot.same(content + b"x", 0)
            assert upload.marks() == MISSING * 2 + RECEIVED

    def test_a_sender_that_gives_up_leaves_the_chunk_missing(self) -> None:
        """Whatever it wrote, and also when it fails; who comes next writes over it."""
        with self.upload(CHUNK_BYTES) as upload:
            with raises(ConnectionError), upload.slot(0) as slot:
                slot.write(b"half" * 200, 0)
                raise ConnectionError
            with upload.slot(0) as slot:
                assert not slot.received
            upload.put(0)
            upload.seal()
            assert upload.read() == upload.content

    def test_two_senders_of_one_chunk_take_turns(self) -> None:
        """Who waited in vain hears `busy`."""
        with self.upload() as upload, upload.slot(0), raises(Problem, "busy"), upload.slot(0):
            raise AssertionError("two senders have the same chunk")

    def test_of_many_senders_of_one_chunk_exactly_one_writes_it(self) -> None:
        """The others find it received, or are busy; its bytes are those of one of them."""
        with self.upload(CHUNK_BYTES) as upload:

            def send(letter: bytes) -> bytes:
                with upload.slot(0) as slot:
                    if slot.received:
                        return b""
                    for at_bytes in range(0, CHUNK_BYTES, 100):
                        slot.write(letter * 100, at_bytes)
                    slot.mark()
                    return letter * CHUNK_BYTES

            found = race([partial(send, b"%d" % n) for n in range(8)])
            written = [content for content in returned(found, Problem) if content]
            upload.seal()
            assert [upload.read()] == written

    def test_different_chunks_are_written_at_the_same_time(self) -> None:
        """Marking one of them does not mark or unmark another one."""
        with self.upload() as upload:
            with upload.slot(0) as first, upload.slot(1) as second:
                first.write(upload.chunk(0), 0)
                second.write(upload.chunk(1), 0)
                assert second.mark() == MISSING + RECEIVED + MISSING
                assert first.mark() == RECEIVED * 2 + MISSING
            assert upload.marks() == RECEIVED * 2 + MISSING

    def test_many_senders_of_many_chunks_make_the_whole_file(self) -> None:
        """Each chunk from a thread of its own."""
        with self.upload(16 * CHUNK_BYTES - 1) as upload:
            returned(race([partial(upload.put, index) for index in range(16)]))
            assert upload.marks() == RECEIVED * 16
            upload.seal()
            assert upload.read() == upload.content

    def test_a_chunk_that_arrives_after_a_discard_does_not_count(self) -> None:
        """Its sender hears that the upload is gone, and it does not come back."""
        with self.upload() as upload:
            with upload.slot(0) as slot:
                slot.write(upload.chunk(0), 0)
                upload.store.discard(upload.upload_id)
                with raises(NotHeld):
                    slot.mark()
            assert list(upload.store.uploads()) == []
            with raises(NotHeld):
                upload.marks()

    def test_a_repetition_that_arrives_after_the_seal_does_not_count(self) -> None:
        """A repeated chunk need not hold anybody up, so its upload may become a file in the meantime."""
        with self.upload() as upload:
            upload.fill()
            with upload.slot(0) as slot, may_raise(Problem, "busy"):
                upload.seal()
                with raises(NotHeld):
                    slot.mark()
            upload.store.seal(upload.upload_id)
            assert upload.read() == upload.content

    def test_a_repetition_does_not_bring_back_what_was_cleared(self) -> None:
        """It was compared with bytes that nobody trusts any more: `busy`, here or where it is cleared."""
        with self.upload() as upload:
            upload.put(0)
            with raises(Problem, "busy"), upload.slot(0) as slot:
                with upload.hold() as held:
                    held.clear()
                slot.mark()
            upload.marks()

    def test_a_chunk_may_stand_far_out(self) -> None:
        """Beyond 4 GiB, where 32 bits do not reach; a store that has not so much space may say `storage_full`."""
        with tempfile.TemporaryDirectory() as scratch, may_raise(Problem, "storage_full"):
            store, upload_id = self.store(Path(scratch)), str(uuid.uuid4())
            store.reserve(upload_id, self.far_bytes + 1000, 5)
            with store.slot(upload_id, 4, self.far_bytes) as far:
                far.write(b"far" * 300, 100)
                far.mark()
            with store.slot(upload_id, 0, 0) as near:
                near.write(b"near" * 250, 0)
            with store.slot(upload_id, 4, self.far_bytes) as far:
                assert far.same(b"far" * 300, 100)


def _through_a_pipe(slot: PipedSlot, content: bytes, length_bytes: int, at_bytes: int) -> bytes:
    """Hand over so many bytes of the content, and return what is left in the pipe."""
    end, beginning = os.pipe()
    try:
        os.write(beginning, content)
        slot.write_from_pipe(end, length_bytes, at_bytes)
        os.set_blocking(end, False)
        return os.read(end, len(content))
    finally:
        os.close(beginning)
        os.close(end)
