"""What every store must keep that takes sequential uploads: bytes that come in order, as tus sends them.

Subclass `TailClaims` beside `upswarm.testing.stores.StoreContract`, or `SharedTailClaims` for a store that several
worker processes share; both ask for the same `store`.
"""

from __future__ import annotations

import random
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

from upswarm.testing.claims import race, raises, returned
from upswarm.testing.trial import SIZE_BYTES, TrialUpload
from upswarm.testing.workers import die, killed
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld, SequentialStore, Tail


class TrialTail:
    """A sequential upload that was just reserved in a store, and the bytes that are to become its file."""

    def __init__(self, store: SequentialStore, size_bytes: int = SIZE_BYTES) -> None:
        self.store = store
        self.upload_id = str(uuid.uuid4())
        self.content = random.Random(size_bytes).randbytes(size_bytes)
        store.reserve_tail(self.upload_id, size_bytes)

    def tail(self) -> AbstractContextManager[Tail]:
        """Its end."""
        return self.store.tail(self.upload_id)

    def offset_bytes(self) -> int:
        """How many bytes count."""
        return self.store.tail_offset_bytes(self.upload_id)

    def marks(self) -> bytes:
        """What the store says of the one chunk."""
        return self.store.marks(self.upload_id)

    def append(self, length_bytes: int) -> None:
        """Send the next bytes, in two pieces, and have them counted."""
        with self.tail() as tail:
            start, middle = tail.offset_bytes, tail.offset_bytes + length_bytes // 2
            tail.write(self.content[start:middle])
            tail.write(memoryview(self.content)[middle : start + length_bytes])
            tail.keep()

    def seal(self) -> None:
        """Finalize as the server does."""
        with self.store.hold(self.upload_id) as held:
            held.sync()
            self.store.seal(self.upload_id)

    def read(self) -> bytes:
        """The whole file."""
        with closing(self.store.open(self.upload_id)) as reader:
            return reader.read(0, len(self.content) + 1)


class TailClaims:
    """Claims about a `SequentialStore` and its `Tail`s; `store` is to be overridden."""

    def store(self, scratch: Path) -> SequentialStore:
        """As `upswarm.testing.trial.StoreClaims.store`."""
        raise NotImplementedError

    @contextmanager
    def trial(self, size_bytes: int = SIZE_BYTES) -> Iterator[TrialTail]:
        """A sequential upload of which no bytes count, in a store of its own."""
        with tempfile.TemporaryDirectory() as scratch:
            yield TrialTail(self.store(Path(scratch)), size_bytes)

    def test_after_reserving_no_bytes_count(self) -> None:
        """It is open, and one chunk that is missing."""
        with self.trial() as upload:
            assert upload.offset_bytes() == 0
            assert upload.marks() == MISSING
            assert list(upload.store.uploads()) == [upload.upload_id]

    def test_only_what_is_kept_counts(self) -> None:
        """Whoever asks meanwhile hears what was kept last, and waits for nobody."""
        with self.trial() as upload:
            with upload.tail() as tail:
                tail.write(upload.content[:1000])
                assert (tail.offset_bytes, upload.offset_bytes()) == (0, 0)
                tail.keep()
                tail.keep()
                assert (tail.offset_bytes, upload.offset_bytes()) == (1000, 1000)
                tail.write(upload.content[1000:])
            assert upload.offset_bytes() == 1000
            assert upload.marks() == MISSING

    def test_the_last_byte_makes_the_chunk_received(self) -> None:
        """Then it can be finalized, and its bytes are those that came, in their order."""
        with self.trial() as upload:
            for length_bytes in (1000, 1, SIZE_BYTES - 1002):
                upload.append(length_bytes)
                assert upload.marks() == MISSING
            upload.append(1)
            assert upload.marks() == RECEIVED
            upload.seal()
            assert upload.read() == upload.content

    def test_a_writer_begins_where_the_last_one_kept(self) -> None:
        """What was written and not kept is written over; also when the last one failed."""
        with self.trial() as upload:
            upload.append(700)
            with raises(ConnectionError), upload.tail() as tail:
                tail.write(bytes(1500))
                raise ConnectionError
            with upload.tail() as tail:
                assert tail.offset_bytes == 700
            upload.append(SIZE_BYTES - 700)
            upload.seal()
            assert upload.read() == upload.content

    def test_pieces_stand_behind_each_other(self) -> None:
        """However small they are, and though the server takes the next piece into the same buffer."""
        with self.trial() as upload:
            buffer = memoryview(bytearray(1000))
            with upload.tail() as tail:
                for start, end in [(0, 900), (900, 901), (901, 1901), (1901, SIZE_BYTES)]:
                    buffer[: end - start] = upload.content[start:end]
                    tail.write(buffer[: end - start])
                    buffer[:] = bytes(1000)
                tail.keep()
            upload.seal()
            assert upload.read() == upload.content

    def test_an_empty_one_has_no_chunk(self) -> None:
        """It is complete from the beginning, and a file is made of it as of any other."""
        with self.trial(0) as upload:
            assert upload.marks() == b""
            with upload.tail() as tail:
                tail.keep()
            assert upload.offset_bytes() == 0
            upload.seal()
            assert upload.read() == b""

    def test_writers_and_finalizes_take_turns(self) -> None:
        """Two writers, and a writer and a finalize, whoever was first; also where there is no byte to write."""
        for size_bytes in (SIZE_BYTES, 0):
            with self.trial(size_bytes) as upload:
                with upload.tail():
                    with raises(Problem, "busy"), upload.tail():
                        raise AssertionError("two have the tail")
                    with raises(Problem, "busy"), upload.store.hold(upload.upload_id):
                        raise AssertionError("held while being written")
                with upload.store.hold(upload.upload_id), raises(Problem, "busy"), upload.tail():
                    raise AssertionError("written while held")
                with upload.tail():
                    """What was let go can be had again."""

    def test_of_many_writers_each_appends_to_what_the_others_kept(self) -> None:
        """Or is busy."""
        with self.trial() as upload:

            def append(letter: bytes) -> bytes:
                with upload.tail() as tail:
                    tail.write(letter * 100)
                    tail.keep()
                return letter

            letters = returned(race([partial(append, b"%d" % n) for n in range(8)]), Problem)
            assert upload.offset_bytes() == 100 * len(letters)
            upload.append(SIZE_BYTES - 100 * len(letters))
            upload.seal()
            file = upload.read()
            assert sorted(file[n * 100 : n * 100 + 100] for n in range(len(letters))) == sorted(
                letter * 100 for letter in letters
            )

    def test_clearing_makes_no_bytes_count(self) -> None:
        """Then it begins anew."""
        with self.trial() as upload:
            upload.append(SIZE_BYTES)
            with upload.store.hold(upload.upload_id) as held:
                assert held.marks() == RECEIVED
                held.clear()
                assert held.marks() == MISSING
            assert upload.offset_bytes() == 0
            upload.append(SIZE_BYTES)
            upload.seal()
            assert upload.read() == upload.content

    def test_a_sequential_upload_has_no_slots_and_another_one_no_tail(self) -> None:
        """Neither way of writing can damage what came the other way."""
        with self.trial() as upload:
            chunked = TrialUpload(upload.store)
            upload.append(SIZE_BYTES)
            chunked.fill()
            with raises(NotHeld), upload.store.slot(upload.upload_id, 0, 0):
                raise AssertionError("it has a slot")
            with raises(NotHeld), upload.store.tail(chunked.upload_id):
                raise AssertionError("it has a tail")
            with raises(NotHeld):
                upload.store.tail_offset_bytes(chunked.upload_id)
            chunked.seal()
            upload.seal()
            assert (chunked.read(), upload.read()) == (chunked.content, upload.content)

    def test_what_arrives_after_a_discard_does_not_count(self) -> None:
        """The writer hears that the upload is gone, and it does not come back."""
        with self.trial() as upload:
            with upload.tail() as tail:
                tail.write(upload.content)
                upload.store.discard(upload.upload_id)
                with raises(NotHeld):
                    tail.keep()
            self._assert_gone(upload)
            assert list(upload.store.uploads()) == []

    def test_what_is_sealed_takes_no_bytes(self) -> None:
        """It is a file and no upload any more."""
        with self.trial() as upload:
            upload.append(SIZE_BYTES)
            upload.seal()
            self._assert_gone(upload)
            assert upload.read() == upload.content

    def _assert_gone(self, upload: TrialTail) -> None:
        with raises(NotHeld), upload.tail():
            raise AssertionError("it can be written")
        with raises(NotHeld):
            upload.offset_bytes()

    def test_others_are_copied_behind_what_was_written(self) -> None:
        """In any order, one twice, an empty one, and the first bytes of a longer one; they stay as they are."""
        with self.trial(3000) as upload:
            one, empty, long = (TrialTail(upload.store, size_bytes) for size_bytes in (700, 0, 2000))
            one.append(700)
            long.append(1900)
            with upload.tail() as tail:
                tail.write(b"begin")
                for part, length_bytes in [(one, 700), (empty, 0), (long, 1595), (one, 700)]:
                    tail.copy(part.upload_id, length_bytes)
                assert upload.offset_bytes() == 0
                tail.keep()
            upload.seal()
            assert upload.read() == b"begin" + one.content + long.content[:1595] + one.content
            assert (one.offset_bytes(), long.offset_bytes()) == (700, 1900)

    def test_what_is_not_there_is_not_copied(self) -> None:
        """Not the bytes that do not count yet, nor an upload in chunks, nor one that is gone or unknown."""
        with self.trial() as upload:
            short, gone, chunked = TrialTail(upload.store), TrialTail(upload.store), TrialUpload(upload.store)
            short.append(999)
            gone.append(SIZE_BYTES)
            gone.store.discard(gone.upload_id)
            chunked.fill()
            for other in (short.upload_id, gone.upload_id, chunked.upload_id, str(uuid.uuid4())):
                with upload.tail() as tail, raises(NotHeld):
                    tail.copy(other, 1000)
            upload.append(SIZE_BYTES)
            upload.seal()
            assert upload.read() == upload.content


class SharedTailClaims(TailClaims):
    """The claims of `TailClaims`, and those about a store that several processes share."""

    @contextmanager
    def _workers(self) -> Iterator[tuple[TrialTail, SequentialStore]]:
        """One upload, and another worker's store."""
        with tempfile.TemporaryDirectory() as scratch:
            yield TrialTail(self.store(Path(scratch))), self.store(Path(scratch))

    def test_workers_share_tails(self) -> None:
        """Each goes on where the others ended, and they take turns."""
        with self._workers() as (upload, other):
            upload.append(1000)
            with other.tail(upload.upload_id) as tail:
                assert tail.offset_bytes == 1000
                with raises(Problem, "busy"), upload.tail():
                    raise AssertionError("two workers have the tail")
                tail.write(upload.content[1000:])
                tail.keep()
            assert upload.marks() == RECEIVED
            upload.seal()
            assert upload.read() == upload.content

    def test_what_was_kept_survives_the_death_of_its_worker_and_nothing_else(self) -> None:
        """What the dead one had locked is free at once."""
        with self._workers() as (upload, other):

            def send_and_die() -> None:
                with upload.tail() as tail:
                    tail.write(upload.content[:1000])
                    tail.keep()
                    tail.write(upload.content[1000:2000])
                    die()

            killed(send_and_die)
            assert other.tail_offset_bytes(upload.upload_id) == 1000
            upload.append(SIZE_BYTES - 1000)
            upload.seal()
            assert upload.read() == upload.content

    def test_tails_are_there_after_a_restart(self) -> None:
        """`prepare` is called at every start, and keeps what is there."""
        with tempfile.TemporaryDirectory() as scratch:
            upload = TrialTail(self.store(Path(scratch)))
            upload.append(1000)
            restarted = self.store(Path(scratch))
            assert list(restarted.uploads()) == [upload.upload_id]
            assert restarted.tail_offset_bytes(upload.upload_id) == 1000
