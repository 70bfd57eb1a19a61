"""What every store's held uploads must keep: those that are being finalized."""

from __future__ import annotations

import threading
from functools import partial

from upswarm import digests
from upswarm.testing.claims import STUCK_S, race, raises, returned
from upswarm.testing.trial import CHUNK_BYTES, SIZE_BYTES, StoreClaims
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld


class HeldClaims(StoreClaims):
    """Claims about a `Held` upload: one that is being finalized."""

    def test_a_held_upload_tells_its_marks(self) -> None:
        """The same as the store does."""
        with self.upload() as upload:
            upload.put(2)
            with upload.hold() as held:
                assert held.marks() == upload.marks() == MISSING * 2 + RECEIVED

    def test_a_digest_is_that_of_the_whole_file(self) -> None:
        """For every algorithm, whatever the order in which the chunks came; also of an empty file."""
        for size_bytes in (0, 1, SIZE_BYTES, 12 * CHUNK_BYTES):
            with self.upload(size_bytes) as upload:
                upload.fill()
                with upload.hold() as held:
                    for algorithm in digests.ALGORITHMS:
                        assert held.digest(algorithm) == digests.digest_of(algorithm, [upload.content]), size_bytes

    def test_clearing_makes_every_chunk_missing(self) -> None:
        """Then all are sent again, and other bytes than the first time may come."""
        with self.upload() as upload:
            upload.fill()
            with upload.hold() as held:
                held.clear()
                assert held.marks() == MISSING * 3
            assert upload.marks() == MISSING * 3
            upload.content = upload.content[::-1]
            upload.fill()
            upload.seal()
            assert upload.read() == upload.content

    def test_a_held_upload_can_be_synced_and_is_open_still(self) -> None:
        """A finalize that fails after the sync is tried again. Whether a sync keeps its word no suite can tell."""
        with self.upload() as upload:
            upload.put(0)
            for _ in range(2):
                with upload.hold() as held:
                    held.sync()
            upload.put(1)
            assert upload.marks() == RECEIVED * 2 + MISSING

    def test_one_finalize_at_a_time_holds_an_upload(self) -> None:
        """Who waited in vain hears `busy`."""
        with self.upload() as upload, upload.hold(), raises(Problem, "busy"), upload.hold():
            raise AssertionError("held twice")

    def test_an_empty_file_is_held_by_one_finalize_at_a_time_too(self) -> None:
        """There is no chunk that could be locked."""
        with self.upload(0) as upload, upload.hold(), raises(Problem, "busy"), upload.hold():
            raise AssertionError("held twice")

    def test_nobody_holds_an_upload_while_a_chunk_is_being_written(self) -> None:
        """Be it the first one or the last."""
        with self.upload() as upload:
            for index in (0, 2):
                with upload.slot(index), raises(Problem, "busy"), upload.hold():
                    raise AssertionError("held while being written")

    def test_no_chunk_is_written_while_an_upload_is_held(self) -> None:
        """Be it the first one or the last."""
        with self.upload() as upload, upload.hold():
            for index in (0, 2):
                with raises(Problem, "busy"), upload.slot(index):
                    raise AssertionError("written while held")

    def test_what_is_let_go_can_be_held_again(self) -> None:
        """Also after a failure, and after having waited in vain."""
        with self.upload() as upload:
            with raises(ConnectionError), upload.hold():
                raise ConnectionError
            with upload.slot(2), raises(Problem, "busy"), upload.hold():
                raise AssertionError("held while being written")
            upload.put(0)
            with upload.hold() as held:
                assert held.marks() == RECEIVED + MISSING * 2

    def test_senders_and_finalizes_keep_out_of_each_others_way(self) -> None:
        """Many of both at once: whoever holds the upload sees nobody writing."""
        with self.upload(8 * CHUNK_BYTES) as upload:
            writing: set[int] = set()

            def send(index: int) -> None:
                with upload.slot(index) as slot:
                    writing.add(index)
                    slot.write(upload.chunk(index), 0)
                    slot.mark()
                    writing.discard(index)

            def hold() -> None:
                with upload.hold() as held:
                    before = held.marks()
                    for _ in range(100):
                        assert not writing, f"held while chunks {writing} are being written"
                    assert held.marks() == before

            found = race([*[partial(send, index) for index in range(8)], *[hold] * 4])
            returned(found, Problem)

    def test_who_waited_for_a_sealed_upload_finds_it_gone(self) -> None:
        """Rather than finalizing it twice; when the wait is over before, it is `busy`."""
        with self.upload() as upload:
            begun, found = threading.Event(), list[BaseException]()

            def wait() -> None:
                begun.set()
                try:
                    with upload.hold():
                        found.append(AssertionError("held after it was sealed"))
                except (NotHeld, Problem) as error:
                    found.append(error)

            waiting = threading.Thread(target=wait, daemon=True)
            with upload.hold():
                waiting.start()
                begun.wait(STUCK_S)
                upload.store.seal(upload.upload_id)
            waiting.join(STUCK_S)
            assert [type(each) for each in found] in ([NotHeld], [Problem]), found

    def test_of_many_racing_finalizes_exactly_one_seals(self) -> None:
        """The others find the upload gone, or are busy."""
        for size_bytes in (0, SIZE_BYTES):
            with self.upload(size_bytes) as upload:
                upload.fill()
                found = race([upload.seal] * 6)
                assert len(returned(found, NotHeld, Problem)) == 1
                assert upload.read() == upload.content
