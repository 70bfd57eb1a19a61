"""Each of these stores is whole but for one thing, and the suites find it out."""

import tempfile
import threading
import time
import unittest
from contextlib import contextmanager, suppress

import pytest

from tests.scratch import IN_MEMORY
from tests.testing.test_contracts import claims
from upswarm.testing.stores import StoreContract
from upswarm.testing.trial import LOCK_WAIT_S
from upswarm.testing.workers import SharedStoreContract
from upswarm_server.model import RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.disk import DiskStore
from upswarm_server.stores.disk_parts import DiskHeld
from upswarm_server.stores.memory import MemoryStore
from upswarm_server.stores.memory_parts import MemoryHeld, MemoryReader, MemorySlot


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", IN_MEMORY)


class Whole(MemoryStore):
    """What the broken ones are made of; they replace a method, or the class of what a method gives."""

    slots, holds, readers = MemorySlot, MemoryHeld, MemoryReader

    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        with super().slot(upload_id, index, offset_bytes) as slot:
            slot.__class__ = self.slots
            yield slot

    @contextmanager
    def hold(self, upload_id):
        with super().hold(upload_id) as held:
            held.__class__ = self.holds
            yield held

    def open(self, file_id):
        reader = super().open(file_id)
        reader.__class__ = self.readers
        return reader


class MarksWhatIsWritten(Whole):
    class slots(MemorySlot):
        def write(self, data, at_bytes):
            super().write(data, at_bytes)
            self.mark()


class KeepsTheServersBuffer(Whole):
    class slots(MemorySlot):
        def write(self, data, at_bytes):
            self.later = [*getattr(self, "later", []), (data, at_bytes)]

        def mark(self):
            for data, at_bytes in getattr(self, "later", []):
                super().write(data, at_bytes)
            return super().mark()


class ComparesLengths(Whole):
    class slots(MemorySlot):
        def same(self, data, at_bytes):
            return True


class ForgetsWhatWasReceived(Whole):
    class slots(MemorySlot):
        def __init__(self, store, upload_id, index, offset_bytes):
            super().__init__(store, upload_id, index, offset_bytes)

        received = property(lambda self: False, lambda self, value: None)

    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        with super(Whole, self).slot(upload_id, index, offset_bytes):
            yield self.slots(self, upload_id, index, offset_bytes)


class LetsEverybodyWrite(Whole):
    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        self.entry(upload_id)
        yield MemorySlot(self, upload_id, index, offset_bytes)


class KeepsTheLockOfWhoeverFailed(Whole):
    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        lock = self.entry(upload_id).locks[index]
        if not lock.acquire(timeout=LOCK_WAIT_S):
            raise Problem("busy", "it is locked")
        yield MemorySlot(self, upload_id, index, offset_bytes)
        lock.release()


class HoldsAtAnyTime(Whole):
    @contextmanager
    def hold(self, upload_id):
        yield MemoryHeld(self.entry(upload_id))


class HasNoLockForAnEmptyFile(Whole):
    @contextmanager
    def hold(self, upload_id):
        entry = self.entry(upload_id)
        entry.whole = threading.Lock()
        with super().hold(upload_id) as held:
            yield held


class BringsTheDiscardedBack(Whole):
    class slots(MemorySlot):
        def mark(self):
            self._store._open[self._upload_id] = self._entry
            return super().mark()


class SealsTwiceOnlyWithAnError(Whole):
    def seal(self, upload_id):
        self.entry(upload_id)
        super().seal(upload_id)


class LeavesItOpen(Whole):
    def seal(self, upload_id):
        if upload_id in self._open:
            self._files[upload_id] = self._open[upload_id]


class MakesFilesOfTheDiscarded(Whole):
    def discard(self, upload_id):
        if upload_id in self._open:
            self.lost = {upload_id: self._open[upload_id]}
        super().discard(upload_id)

    def seal(self, upload_id):
        self._open |= self.lost
        super().seal(upload_id)


class ClearsNothing(Whole):
    class holds(MemoryHeld):
        def clear(self):
            pass


class DigestsByHalves(Whole):
    class holds(MemoryHeld):
        def digest(self, algorithm):
            self._entry.data = self._entry.data[:2000]
            return super().digest(algorithm)


class ReadsWhatIsThereNow(Whole):
    def open(self, file_id):
        class Reader(MemoryReader):
            def read(_, at_bytes, length_bytes):
                return super(Whole, self).open(file_id).read(at_bytes, length_bytes)

        reader = super().open(file_id)
        reader.__class__ = Reader
        return reader


class FillsUpWithZeros(Whole):
    class readers(MemoryReader):
        def read(self, at_bytes, length_bytes):
            return super().read(at_bytes, length_bytes).ljust(length_bytes, b"\0")


class PutsChunksInTheOrderOfTheirNames(Whole):
    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        place = sorted(map(str, range(len(self.marks(upload_id))))).index(str(index))
        with super().slot(upload_id, index, offset_bytes) as slot:
            slot._offset_bytes = place * 1000
            yield slot


class HasOneLockForAll(Whole):
    lock = threading.Lock()

    @contextmanager
    def hold(self, upload_id):
        self.entry(upload_id).locks.append(self.lock)
        with super().hold(upload_id) as held:
            yield held

    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        with self._locked(self.lock), super().slot(upload_id, index, offset_bytes) as slot:
            yield slot


class CountsIn32Bits(DiskStore):
    def __init__(self, scratch):
        super().__init__(scratch, reserve="sparse", lock_wait_s=LOCK_WAIT_S)

    def slot(self, upload_id, index, offset_bytes):
        return super().slot(upload_id, index, offset_bytes % (1 << 32))


class LeavesBytesBehind(CountsIn32Bits):
    def remove(self, file_id):
        (self._root / "data" / file_id[:2] / file_id).rename(self._root / file_id)


def broken_by(contract, claim, method, part):
    """Whether a part breaks a claim: by not keeping it, or by raising what it should not have raised there."""
    suite = type("Suite", (contract,), {method: lambda self, scratch: part(scratch)})()
    try:
        getattr(suite, claim)()
    except (AssertionError, NotHeld, Problem):
        return True
    return False


def in_memory(store):
    return lambda scratch: store(lock_wait_s=LOCK_WAIT_S)


def prepared(part):
    def make(scratch):
        made = part(scratch)
        made.prepare()
        return made

    return make


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (MarksWhatIsWritten, "test_only_a_marked_chunk_counts"),
        (MarksWhatIsWritten, "test_a_sender_that_gives_up_leaves_the_chunk_missing"),
        (KeepsTheServersBuffer, "test_pieces_stand_where_they_were_put"),
        (ComparesLengths, "test_a_received_chunk_says_so_and_can_be_compared"),
        (ForgetsWhatWasReceived, "test_a_received_chunk_says_so_and_can_be_compared"),
        (ForgetsWhatWasReceived, "test_of_many_senders_of_one_chunk_exactly_one_writes_it"),
        (LetsEverybodyWrite, "test_two_senders_of_one_chunk_take_turns"),
        (LetsEverybodyWrite, "test_nobody_holds_an_upload_while_a_chunk_is_being_written"),
        (LetsEverybodyWrite, "test_no_chunk_is_written_while_an_upload_is_held"),
        (KeepsTheLockOfWhoeverFailed, "test_a_sender_that_gives_up_leaves_the_chunk_missing"),
        (HoldsAtAnyTime, "test_one_finalize_at_a_time_holds_an_upload"),
        (HoldsAtAnyTime, "test_nobody_holds_an_upload_while_a_chunk_is_being_written"),
        (HasNoLockForAnEmptyFile, "test_an_empty_file_is_held_by_one_finalize_at_a_time_too"),
        (BringsTheDiscardedBack, "test_a_chunk_that_arrives_after_a_discard_does_not_count"),
        (SealsTwiceOnlyWithAnError, "test_a_sealed_upload_takes_no_chunks"),
        (SealsTwiceOnlyWithAnError, "test_an_unknown_id_is_not_held"),
        (LeavesItOpen, "test_a_sealed_upload_takes_no_chunks"),
        (LeavesItOpen, "test_of_many_racing_finalizes_exactly_one_seals"),
        (MakesFilesOfTheDiscarded, "test_a_discarded_upload_is_forgotten"),
        (ClearsNothing, "test_clearing_makes_every_chunk_missing"),
        (DigestsByHalves, "test_a_digest_is_that_of_the_whole_file"),
        (ReadsWhatIsThereNow, "test_a_removed_file_can_be_read_to_its_end"),
        (FillsUpWithZeros, "test_any_range_has_exactly_the_bytes_of_the_file"),
        (PutsChunksInTheOrderOfTheirNames, "test_chunks_stand_in_their_places_in_whatever_order_they_come"),
        (HasOneLockForAll, "test_different_chunks_are_written_at_the_same_time"),
        (HasOneLockForAll, "test_uploads_do_not_touch_each_other"),
    ],
)
def test_the_store_contract_finds_what_is_broken(broken, claim):
    assert broken_by(StoreContract, claim, "store", in_memory(broken))
    assert not broken_by(StoreContract, claim, "store", in_memory(Whole))


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (CountsIn32Bits, "test_a_chunk_may_stand_far_out"),
        (LeavesBytesBehind, "test_nothing_is_left_of_what_was_discarded_or_removed"),
    ],
)
def test_the_store_contract_finds_what_is_broken_on_a_disk(broken, claim):
    assert broken_by(StoreContract, claim, "store", prepared(broken))


class SharedDisk(DiskStore):
    def __init__(self, scratch):
        super().__init__(scratch, reserve="sparse", lock_wait_s=LOCK_WAIT_S)


class LocksWithItsOwnFiles(SharedDisk):
    """As many do: a file that is made to lock and removed to unlock, and that a killed process leaves there."""

    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        lock = self._root / f"{upload_id}.{index}.lock"
        try:
            lock.touch(exist_ok=False)
        except FileExistsError:
            raise Problem("busy", "it is locked") from None
        try:
            with super().slot(upload_id, index, offset_bytes) as slot:
                yield slot
        finally:
            lock.unlink()


class KeepsItsMarksToItself(SharedDisk):
    """In this process, which saves time and is lost with it."""

    def marks(self, upload_id):
        marked = getattr(self, "marked", set())
        marks = super().marks(upload_id)
        return b"".join(RECEIVED if index in marked else marks[index : index + 1] for index in range(len(marks)))

    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        def mark():
            self.marked = getattr(self, "marked", set()) | {index}
            return self.marks(upload_id)

        with super().slot(upload_id, index, offset_bytes) as slot:
            slot.mark = mark
            yield slot


class StartsAnew(SharedDisk):
    def prepare(self):
        super().prepare()
        for upload_id in self.uploads():
            self.discard(upload_id)


class IsNeverFull(SharedDisk):
    @contextmanager
    def slot(self, upload_id, index, offset_bytes):
        with super().slot(upload_id, index, offset_bytes) as slot:
            write = slot.write
            slot.write = suppress(Problem)(write)  # as if it had gone well
            yield slot


class HoldsBeforeItsTurn(SharedDisk):
    @contextmanager
    def hold(self, upload_id):
        with self._map(upload_id) as received:
            time.sleep(0.01)
            yield DiskHeld(received, self._data(upload_id), self._offload, self._meter)


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (lambda scratch: Whole(lock_wait_s=LOCK_WAIT_S), "test_any_worker_takes_any_chunk"),
        (HoldsBeforeItsTurn, "test_workers_take_turns"),
        (HoldsBeforeItsTurn, "test_of_workers_that_race_to_finalize_exactly_one_seals"),
        (LocksWithItsOwnFiles, "test_a_marked_chunk_survives_the_death_of_its_worker_and_no_other_does"),
        (KeepsItsMarksToItself, "test_any_worker_takes_any_chunk"),
        (KeepsItsMarksToItself, "test_a_marked_chunk_survives_the_death_of_its_worker_and_no_other_does"),
        (StartsAnew, "test_everything_is_there_after_a_restart"),
        (IsNeverFull, "test_a_store_that_is_full_says_so_and_the_chunk_stays_missing"),
    ],
)
def test_the_contract_of_shared_stores_finds_what_is_broken(broken, claim):
    assert broken_by(SharedStoreContract, claim, "store", prepared(broken))
    assert not broken_by(SharedStoreContract, claim, "store", prepared(SharedDisk))


def test_a_store_that_is_whole_keeps_every_claim_under_unittest_too():
    suite = type("Suite", (StoreContract, unittest.TestCase), {"store": lambda self, scratch: Whole(lock_wait_s=0.05)})
    result = unittest.TestResult()
    unittest.TestLoader().loadTestsFromTestCase(suite).run(result)
    assert (result.errors, result.failures, result.skipped) == ([], [], [])
    assert result.testsRun == len(claims(StoreContract)) > 40
