"""What stores and catalogs must keep that several worker processes share, as all do but those in memory.

Here `store` and `catalog` are called twice with one directory, as two workers have them; and processes are killed.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from upswarm.testing.catalogs import CatalogContract
from upswarm.testing.claims import STUCK_S, may_raise, race, raises, returned
from upswarm.testing.records import NOW_S, WIDE, add_files, an_upload, begin, finalize
from upswarm.testing.stores import StoreContract
from upswarm.testing.trial import CHUNK_BYTES, TrialUpload
from upswarm_server.catalogs.base import Bounds, Catalog, Query
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld


def killed(work: Callable[[], None]) -> None:
    """Run this in a process of its own, which is killed in the middle of it: `work` ends with `die()`."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(STUCK_S)
    code = process.exitcode
    process.kill()
    process.join()
    process.close()
    assert code == -signal.SIGKILL, f"expected the process to reach its death, found exit code {code}"


def die() -> None:
    """End this process here and now, without a chance to clean up."""
    os.kill(os.getpid(), signal.SIGKILL)


class SharedStoreContract(StoreContract):
    """The claims of `StoreContract`, and those about a store that several processes share."""

    @contextmanager
    def _workers(self) -> Iterator[tuple[TrialUpload, TrialUpload]]:
        """One upload, as two workers see it."""
        with tempfile.TemporaryDirectory() as scratch:
            one = TrialUpload(self.store(Path(scratch)))
            yield one, one.seen_by(self.store(Path(scratch)))

    def test_any_worker_takes_any_chunk(self) -> None:
        """Each sees what the others have received, and any of them makes the file."""
        with self._workers() as (one, other):
            one.put(2)
            assert other.marks() == MISSING * 2 + RECEIVED
            other.put(0)
            one.put(1)
            assert list(other.store.uploads()) == [one.upload_id]
            other.seal()
            assert one.read() == other.read() == one.content
            with raises(NotHeld):
                one.marks()

    def test_workers_take_turns(self) -> None:
        """With a chunk, with the whole upload, and with both."""
        with self._workers() as (one, other):
            with one.slot(1), raises(Problem, "busy"), other.slot(1):
                raise AssertionError("two workers have the same chunk")
            with one.slot(1), raises(Problem, "busy"), other.hold():
                raise AssertionError("held while another worker writes")
            with one.hold(), raises(Problem, "busy"), other.slot(1):
                raise AssertionError("written while another worker holds it")
            with one.hold(), raises(Problem, "busy"), other.hold():
                raise AssertionError("held by two workers")
            with one.slot(0), other.slot(1) as slot:
                slot.write(other.chunk(1), 0)
                assert slot.mark() == MISSING + RECEIVED + MISSING

    def test_a_discard_reaches_the_senders_of_other_workers(self) -> None:
        """Their chunk does not count, and the upload does not come back."""
        with self._workers() as (one, other):
            with other.slot(0) as slot:
                slot.write(other.chunk(0), 0)
                one.store.discard(one.upload_id)
                with raises(NotHeld):
                    slot.mark()
            assert list(other.store.uploads()) == []

    def test_of_workers_that_race_to_finalize_exactly_one_seals(self) -> None:
        """The others find the upload gone, or are busy."""
        with self._workers() as (one, other):
            one.fill()
            assert len(returned(race([one.seal, other.seal] * 2), NotHeld, Problem)) == 1
            assert other.read() == one.content

    def test_a_marked_chunk_survives_the_death_of_its_worker_and_no_other_does(self) -> None:
        """What the dead one had locked is free at once."""
        with self._workers() as (one, other):

            def send_and_die() -> None:
                one.put(0)
                with one.slot(1) as slot:
                    slot.write(b"half" * 100, 0)
                    die()

            killed(send_and_die)
            assert other.marks() == RECEIVED + MISSING * 2
            with other.slot(1) as slot:
                assert not slot.received
            other.put(1)
            other.put(2)
            other.seal()
            assert other.read() == one.content

    def test_a_store_that_is_full_says_so_and_the_chunk_stays_missing(self) -> None:
        """`storage_full`, here in a process that may write small files only; for stores that keep bytes in files."""
        with self._workers() as (one, other):

            def send_and_die() -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
                with may_raise(Problem, "storage_full"):
                    one.put(1)
                    assert one.marks() == MISSING + RECEIVED + MISSING
                    die()
                assert one.marks() == MISSING * 3
                die()

            killed(send_and_die)
            other.fill()
            other.seal()
            assert other.read() == other.content

    def test_nothing_is_left_of_an_upload_for_which_there_is_no_space(self) -> None:
        """Once it is discarded, as the server does whatever `reserve` has raised."""
        with self._workers() as (one, other):
            unlucky_id = str(uuid.uuid4())

            def begin_and_die() -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
                with may_raise(Problem, "storage_full"):
                    one.store.reserve(unlucky_id, 2 * CHUNK_BYTES, 2)
                one.store.discard(unlucky_id)
                die()

            killed(begin_and_die)
            assert list(other.store.uploads()) == [other.upload_id]
            with raises(NotHeld):
                other.store.marks(unlucky_id)

    def test_a_finalize_survives_the_death_of_its_worker_or_can_be_done_again(self) -> None:
        """Whatever was its last step."""
        with self._workers() as (one, other):
            one.fill()

            def hold_and_die() -> None:
                with one.hold() as held:
                    held.sync()
                    die()

            def seal_and_die() -> None:
                one.seal()
                die()

            killed(hold_and_die)
            assert other.marks() == RECEIVED * 3
            killed(seal_and_die)
            assert other.read() == one.content

    def test_everything_is_there_after_a_restart(self) -> None:
        """`prepare` is called at every start, and keeps what is there."""
        with tempfile.TemporaryDirectory() as scratch:
            begun = TrialUpload(self.store(Path(scratch)))
            begun.put(1)
            file = TrialUpload(self.store(Path(scratch)))
            file.fill()
            file.seal()
            restarted = self.store(Path(scratch))
            assert list(restarted.uploads()) == [begun.upload_id]
            assert begun.seen_by(restarted).marks() == MISSING + RECEIVED + MISSING
            assert file.seen_by(restarted).read() == file.content


class SharedCatalogContract(CatalogContract):
    """The claims of `CatalogContract`, and those about a catalog that several processes share."""

    @contextmanager
    def _workers(self) -> Iterator[tuple[Catalog, Catalog]]:
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as open_catalogs:
            one, other = (open_catalogs.enter_context(closing(self.catalog(Path(scratch)))) for _ in range(2))
            yield one, other

    def test_every_worker_sees_what_was_written(self) -> None:
        """As soon as the call has returned."""
        with self._workers() as (one, other):
            upload = begin(one)
            assert other.upload(upload.upload_id) == upload
            file = finalize(other, upload)
            assert one.file(upload.upload_id) == file
            assert finalize(one, upload, NOW_S + 9) == file
            assert one.delete_file(upload.upload_id)
            assert other.file(upload.upload_id) is None

    def test_workers_share_the_bounds(self) -> None:
        """And race for the last place."""
        with self._workers() as (one, other):
            bounds = Bounds(max_open_uploads=3)
            found = race([partial(begin, catalog, bounds=bounds) for catalog in [one, other] * 4])
            assert len(returned(found, Problem)) == one.count_open(NOW_S) == other.count_open(NOW_S) == 3

    def test_of_workers_that_race_to_finalize_exactly_one_wins(self) -> None:
        """All get the winner's file."""
        with self._workers() as (one, other):
            upload = begin(one)
            racers = [partial(finalize, catalog, upload, NOW_S + n) for n, catalog in enumerate([one, other] * 3)]
            files = returned(race(racers))
            assert files == [files[0]] * 6
            assert other.list_files(Query(limit=10)).files == (files[0],)

    def test_what_was_written_survives_the_death_of_its_worker(self) -> None:
        """Open uploads and files."""
        upload = an_upload()
        with tempfile.TemporaryDirectory() as scratch:

            def write_and_die() -> None:
                catalog = self.catalog(Path(scratch))
                catalog.begin(upload, WIDE)
                add_files(catalog, "a", "b")
                die()

            killed(write_and_die)
            with closing(self.catalog(Path(scratch))) as catalog:
                assert catalog.upload(upload.upload_id) == upload
                assert [file.filename for file in catalog.list_files(Query(limit=10)).files] == ["a", "b"]
