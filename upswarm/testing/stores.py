"""What every store must keep. Subclass the contract, say which store, and pytest or unittest runs it.

A claim per promise in the docstrings of `upswarm_server.stores.base`, a class per interface in there. A store that
several worker processes share keeps `upswarm.testing.workers.SharedStoreContract` too.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from upswarm.testing.claims import race, raises, returned
from upswarm.testing.holds import HeldClaims
from upswarm.testing.slots import SlotClaims
from upswarm.testing.trial import CHUNK_BYTES, SIZE_BYTES, StoreClaims, TrialUpload
from upswarm_server.model import MISSING
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld, Store


class ReaderClaims(StoreClaims):
    """Claims about a `Reader`: an open file."""

    @contextmanager
    def _file(self, size_bytes: int = SIZE_BYTES) -> Iterator[TrialUpload]:
        with self.upload(size_bytes) as upload:
            upload.fill()
            upload.seal()
            yield upload

    def test_any_range_has_exactly_the_bytes_of_the_file(self) -> None:
        """Fewer only at the end of the file, and none beyond it."""
        edges = [0, 1, 999, 1000, 1001, 2000, SIZE_BYTES - 1, SIZE_BYTES, SIZE_BYTES + 1, 9999]
        with self._file() as file, closing(file.store.open(file.upload_id)) as reader:
            for start in edges:
                for end in edges:
                    if start <= end:
                        assert reader.read(start, end - start) == file.content[start:end], (start, end)

    def test_a_file_can_be_read_piece_by_piece_and_again(self) -> None:
        """By several readers at once, each where it likes."""
        with self._file() as file:
            with closing(file.store.open(file.upload_id)) as one, closing(file.store.open(file.upload_id)) as other:
                pieces = [(one.read(at, 7), other.read(SIZE_BYTES - 7 - at, 7)) for at in range(0, SIZE_BYTES - 7, 7)]
            for number, (forwards, backwards) in enumerate(pieces):
                assert forwards == file.content[number * 7 : number * 7 + 7]
                assert backwards == file.content[SIZE_BYTES - 7 - number * 7 : SIZE_BYTES - number * 7]
            assert file.read() == file.content

    def test_an_empty_file_can_be_read(self) -> None:
        """An empty file is a file."""
        with self._file(0) as file:
            assert file.read() == b""

    def test_a_removed_file_can_be_read_to_its_end(self) -> None:
        """By whoever had opened it, also if nothing was read before; nobody else can open it."""
        with self._file() as file, closing(file.store.open(file.upload_id)) as reader:
            file.store.remove(file.upload_id)
            with raises(NotHeld):
                file.store.open(file.upload_id)
            assert reader.read(0, 1100) == file.content[:1100]
            assert reader.read(1100, 9999) == file.content[1100:]

    def test_a_file_that_is_removed_while_it_is_being_opened_is_whole_or_gone(self) -> None:
        """Never cut short: its size was promised to a client before the first byte was read."""
        for _ in range(4):
            with self._file() as file:
                found = race([file.read, *[partial(file.store.remove, file.upload_id)] * 2, file.read, file.read])
                assert all(each in (None, file.content) for each in returned(found, NotHeld)), found

    def test_a_file_can_be_closed_twice(self) -> None:
        """Whoever cleans up need not know who cleaned up before; other readers go on."""
        with self._file() as file, closing(file.store.open(file.upload_id)) as other:
            reader = file.store.open(file.upload_id)
            reader.close()
            reader.close()
            assert other.read(0, 9999) == file.content


class StoreContract(SlotClaims, HeldClaims, ReaderClaims):
    """Claims about a `Store`, its slots, its held uploads and its readers."""

    def test_after_reserving_all_chunks_are_missing(self) -> None:
        """And nothing of them says that it was received."""
        with self.upload() as upload:
            assert upload.marks() == MISSING * 3
            for index in range(3):
                with upload.slot(index) as slot:
                    assert not slot.received

    def test_an_empty_file_has_no_chunks(self) -> None:
        """It is an upload nevertheless."""
        with self.upload(0) as upload:
            assert upload.marks() == b""
            assert list(upload.store.uploads()) == [upload.upload_id]

    def test_chunks_stand_in_their_places_in_whatever_order_they_come(self) -> None:
        """From the last one to the first, more than ten of them, the last one shorter."""
        for size_bytes in (1, CHUNK_BYTES, CHUNK_BYTES + 1, 12 * CHUNK_BYTES - 1):
            with self.upload(size_bytes) as upload:
                upload.fill()
                upload.seal()
                assert upload.read() == upload.content

    def test_an_unknown_id_is_not_held(self) -> None:
        """Whatever is asked of it; forgetting it is no error, for whoever cleans up may come late."""
        with self.upload() as upload:
            _assert_unknown(upload.store, str(uuid.uuid4()))
            for forget in (upload.store.seal, upload.store.discard, upload.store.remove):
                forget(unknown := str(uuid.uuid4()))
                _assert_unknown(upload.store, unknown)
            assert list(upload.store.uploads()) == [upload.upload_id]

    def test_a_sealed_upload_takes_no_chunks(self) -> None:
        """It is a file and no upload any more; sealing it again changes nothing."""
        with self.upload() as upload:
            upload.fill()
            for _ in range(2):
                upload.store.seal(upload.upload_id)
                _assert_not_open(upload.store, upload.upload_id)
                assert list(upload.store.uploads()) == []
                assert upload.read() == upload.content

    def test_a_discarded_upload_is_forgotten(self) -> None:
        """Discarding it again changes nothing, and a late seal does not make a file of it."""
        with self.upload() as upload:
            upload.put(0)
            for _ in range(2):
                upload.store.discard(upload.upload_id)
                _assert_unknown(upload.store, upload.upload_id)
                assert list(upload.store.uploads()) == []
            upload.store.seal(upload.upload_id)
            _assert_unknown(upload.store, upload.upload_id)

    def test_a_removed_file_is_gone(self) -> None:
        """Removing it again changes nothing."""
        with self.upload() as upload:
            upload.fill()
            upload.seal()
            for _ in range(2):
                upload.store.remove(upload.upload_id)
                _assert_unknown(upload.store, upload.upload_id)

    def test_the_fate_of_a_condemned_file_is_open_until_it_is_removed_or_sealed_again(self) -> None:
        """It is listed with the open uploads, takes no chunks, and can be read as before."""
        with self.upload() as upload:
            upload.fill()
            upload.seal()
            for settle in (upload.store.seal, upload.store.remove):
                for _ in range(2):
                    upload.store.condemn(upload.upload_id)
                    assert list(upload.store.uploads()) == [upload.upload_id]
                _assert_not_open(upload.store, upload.upload_id)
                assert upload.read() == upload.content
                settle(upload.upload_id)
                assert list(upload.store.uploads()) == []
            _assert_unknown(upload.store, upload.upload_id)

    def test_a_condemned_file_that_is_discarded_is_gone(self) -> None:
        """So the server settles what a crash left: no record, no file."""
        with self.upload() as upload:
            upload.fill()
            upload.seal()
            upload.store.condemn(upload.upload_id)
            upload.store.discard(upload.upload_id)
            _assert_unknown(upload.store, upload.upload_id)
            assert list(upload.store.uploads()) == []

    def test_nothing_is_left_of_what_was_discarded_or_removed(self) -> None:
        """Neither bytes nor empty files: a server runs for years."""
        with tempfile.TemporaryDirectory() as scratch:
            store = self.store(Path(scratch))
            left = [_come_and_go(store, Path(scratch)) for _ in range(3)]
            assert left[0] == left[1] == left[2], f"expected no more after each upload, found (files, bytes) {left}"

    def test_an_upload_that_is_discarded_by_many_while_many_send_is_gone(self) -> None:
        """No sender brings it back; each is done, or hears that the upload is gone, or is busy."""
        with self.upload(8 * CHUNK_BYTES) as upload:
            senders = [partial(upload.put, index) for index in range(8)]
            found = race([*senders, *[partial(upload.store.discard, upload.upload_id)] * 4])
            returned(found[:8], NotHeld, Problem)
            returned(found[8:])
            _assert_unknown(upload.store, upload.upload_id)
            assert list(upload.store.uploads()) == []

    def test_uploads_do_not_touch_each_other(self) -> None:
        """Neither their bytes, nor their marks, nor their locks, nor their ends."""
        with self.upload() as upload:
            other, doomed = TrialUpload(upload.store, 2 * CHUNK_BYTES), TrialUpload(upload.store)
            assert sorted(upload.store.uploads()) == sorted(each.upload_id for each in (upload, other, doomed))
            with doomed.hold(), other.slot(0) as slot:
                upload.fill()
                slot.write(other.chunk(0), 0)
            doomed.store.discard(doomed.upload_id)
            upload.seal()
            assert other.marks() == MISSING * 2
            assert upload.read() == upload.content
            upload.store.remove(upload.upload_id)
            other.fill()
            other.seal()
            assert other.read() == other.content

    def test_many_uploads_come_at_once(self) -> None:
        """Each is reserved, filled, sealed and read by a thread of its own."""
        with self.upload() as first:

            def travel(size_bytes: int) -> bool:
                upload = TrialUpload(first.store, size_bytes)
                upload.fill()
                upload.seal()
                return upload.read() == upload.content

            assert returned(race([partial(travel, 1500 + n) for n in range(8)])) == [True] * 8

    def test_a_working_store_tells_its_free_space(self) -> None:
        """In bytes."""
        with self.upload() as upload:
            assert upload.store.free_bytes() > 0


def _assert_not_open(store: Store, upload_id: str) -> None:
    with raises(NotHeld):
        store.marks(upload_id)
    with raises(NotHeld), store.slot(upload_id, 0, 0):
        raise AssertionError("it took a chunk")
    with raises(NotHeld), store.hold(upload_id):
        raise AssertionError("it was held")


def _assert_unknown(store: Store, upload_id: str) -> None:
    _assert_not_open(store, upload_id)
    with raises(NotHeld):
        store.open(upload_id)


def _come_and_go(store: Store, scratch: Path) -> tuple[int, int]:
    """One upload is discarded and one file removed; how many files, with how many bytes, there are then."""
    discarded, removed = TrialUpload(store), TrialUpload(store)
    discarded.put(1)
    store.discard(discarded.upload_id)
    removed.fill()
    removed.seal()
    store.remove(removed.upload_id)
    sizes = [path.stat().st_size for path in scratch.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
