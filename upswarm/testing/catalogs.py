"""What every catalog must keep. Subclass the contract, say which catalog, and pytest or unittest runs it.

A claim per promise in the docstrings of `upswarm_server.catalogs.base`. A catalog that several worker processes share
keeps `upswarm.testing.workers.SharedCatalogContract` too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from upswarm.testing.claims import race, raises, returned
from upswarm.testing.expiry import ExpiryClaims
from upswarm.testing.listings import ListingClaims
from upswarm.testing.records import LIFETIME_S, NOW_S, WIDE, CatalogClaims, add_files, an_upload, begin, finalize
from upswarm_server.catalogs.base import Bounds, Query, Stock
from upswarm_server.model import UploadState
from upswarm_server.problems import Problem


class BoundClaims(CatalogClaims):
    """Claims about the `Bounds` within which an upload may begin, and about what counts as open."""

    def test_only_open_uploads_that_have_not_expired_count(self) -> None:
        """An upload expires at the very moment that it says."""
        with self.empty() as catalog:
            for _ in range(3):
                begin(catalog)
            add_files(catalog, "a.bin")
            expires_at_s = NOW_S + LIFETIME_S
            assert [catalog.count_open(at_s) for at_s in (NOW_S, expires_at_s - 0.5, expires_at_s)] == [3, 3, 0]

    def test_no_more_uploads_are_open_than_may_be(self) -> None:
        """Who is refused leaves nothing behind; a finalize and an abort make place for the next one each."""
        with self.empty() as catalog:
            bounds = Bounds(max_open_uploads=2)
            first, second = begin(catalog, bounds=bounds), begin(catalog, bounds=bounds)
            refused = an_upload()
            with raises(Problem, "open_uploads_exceeded"):
                catalog.begin(refused, bounds)
            assert catalog.upload(refused.upload_id) is None
            finalize(catalog, first)
            begin(catalog, bounds=bounds)
            catalog.abort(second.upload_id)
            begin(catalog, bounds=bounds)
            assert catalog.count_open(NOW_S) == 2

    def test_of_many_who_begin_at_the_bound_as_many_do_as_may(self) -> None:
        """Counting and recording are one step."""
        with self.empty() as catalog:
            found = race([lambda: begin(catalog, bounds=Bounds(max_open_uploads=3))] * 8)
            begun = returned(found, Problem)
            assert len(begun) == catalog.count_open(NOW_S) == 3
            assert {each.code for each in found if isinstance(each, Problem)} == {"open_uploads_exceeded"}
            assert all(catalog.upload(upload.upload_id) == upload for upload in begun)

    def test_a_client_opens_no_more_uploads_than_it_may(self) -> None:
        """Others are not concerned; who says no client_id is one client with all who say none."""
        with self.empty() as catalog:
            bounds = Bounds(max_open_uploads=100, max_open_per_client=1)
            for client_id in ("one", "two", None):
                catalog.begin(an_upload(client_id=client_id), bounds)
            for client_id in ("one", None):
                with raises(Problem, "open_uploads_exceeded"):
                    catalog.begin(an_upload(client_id=client_id), bounds)
            later = replace(an_upload(client_id="one"), created_at_s=NOW_S + LIFETIME_S)
            catalog.begin(later, bounds)

    def test_expired_uploads_make_place_for_new_ones(self) -> None:
        """As the new one's clock has it."""
        with self.empty() as catalog:
            bounds = Bounds(max_open_uploads=1, quota_bytes=1000)
            begin(catalog, bounds=bounds)
            for late_s, refused in ((LIFETIME_S - 0.5, True), (LIFETIME_S, False)):
                late = replace(an_upload(), created_at_s=NOW_S + late_s, expires_at_s=NOW_S + late_s + LIFETIME_S)
                if refused:
                    with raises(Problem, "open_uploads_exceeded"):
                        catalog.begin(late, bounds)
                else:
                    catalog.begin(late, bounds)

    def test_files_and_open_uploads_share_the_quota(self) -> None:
        """To the byte; the problem says what is left. Deleting and aborting give back."""
        with self.empty() as catalog:
            bounds = Bounds(max_open_uploads=10, quota_bytes=2500)
            file, other = begin(catalog, bounds=bounds), begin(catalog, bounds=bounds)
            finalize(catalog, file)
            with raises(Problem, "quota_exceeded: expected at most 500 B, found 501 B"):
                begin(catalog, size_bytes=501, bounds=bounds)
            begin(catalog, size_bytes=500, bounds=bounds)
            with raises(Problem, "quota_exceeded"):
                begin(catalog, size_bytes=1, bounds=bounds)
            begin(catalog, size_bytes=0, bounds=bounds)
            catalog.delete_file(file.upload_id)
            begin(catalog, bounds=bounds)
            catalog.abort(other.upload_id)
            begin(catalog, bounds=bounds)

    def test_of_many_who_begin_at_the_quota_as_many_do_as_fit(self) -> None:
        """Adding up and recording are one step."""
        with self.empty() as catalog:
            found = race([lambda: begin(catalog, bounds=Bounds(max_open_uploads=99, quota_bytes=3999))] * 8)
            assert len(returned(found, Problem)) == catalog.count_open(NOW_S) == 3


class CatalogContract(BoundClaims, ListingClaims, ExpiryClaims):
    """Claims about a `Catalog`: its records, its bounds and its lists."""

    def test_an_upload_is_found_as_it_was_begun(self) -> None:
        """Every field of it, also those that are empty and those that are very large."""
        with self.empty() as catalog:
            full = an_upload(filename="naïve 名.bin", size_bytes=1 << 50)
            bare = replace(an_upload(), client_id=None, client_timestamp=None, digest=None, metadata={}, size_bytes=0)
            worded = replace(an_upload(), client_timestamp="2026-01-01T00:00:00Z", created_at_s=NOW_S + 0.123456)
            for upload in (full, bare, worded):
                catalog.begin(upload, WIDE)
            assert [catalog.upload(each.upload_id) for each in (full, bare, worded)] == [full, bare, worded]

    def test_an_unknown_id_is_nothing(self) -> None:
        """Whatever is asked of it."""
        with self.empty() as catalog:
            (file_id,) = add_files(catalog, "a")
            unknown = an_upload()
            assert catalog.upload(unknown.upload_id) is None
            assert catalog.file(unknown.upload_id) is None
            assert finalize(catalog, unknown) is None
            assert catalog.abort(unknown.upload_id) is False
            assert catalog.delete_file(unknown.upload_id) is False
            assert [file.file_id for file in catalog.list_files(Query(limit=10)).files] == [file_id]

    def test_a_finalized_upload_knows_its_file(self) -> None:
        """And the file is found as it was finalized."""
        with self.empty() as catalog:
            upload = begin(catalog)
            finalized, file = upload.finalized(NOW_S + 1, "host")
            assert catalog.file(file.file_id) is None
            assert catalog.finalize(finalized, file) == file
            assert catalog.file(file.file_id) == file
            assert catalog.upload(upload.upload_id) == finalized
            assert finalized.state is UploadState.FINALIZED

    def test_a_second_finalize_gets_the_first_ones_file(self) -> None:
        """Its own is nowhere to be found."""
        with self.empty() as catalog:
            upload = begin(catalog)
            first = finalize(catalog, upload, NOW_S + 1)
            assert finalize(catalog, upload, NOW_S + 2) == first
            assert catalog.list_files(Query(limit=10)).files == (first,)

    def test_of_many_racing_finalizes_exactly_one_wins(self) -> None:
        """All get the winner's file, and there is one file."""
        with self.empty() as catalog:
            upload = begin(catalog)
            files = returned(race([partial(finalize, catalog, upload, NOW_S + n) for n in range(8)]))
            assert files == [files[0]] * 8
            assert catalog.list_files(Query(limit=10)).files == (files[0],)
            assert catalog.file(upload.upload_id) == files[0]

    def test_an_aborted_upload_is_forgotten(self) -> None:
        """It can't be aborted again, and does not become a file."""
        with self.empty() as catalog:
            upload = begin(catalog)
            assert catalog.abort(upload.upload_id) is True
            assert catalog.abort(upload.upload_id) is False
            assert catalog.upload(upload.upload_id) is None
            assert finalize(catalog, upload) is None
            assert catalog.list_files(Query(limit=10)).files == ()

    def test_a_finalized_upload_is_not_aborted(self) -> None:
        """The file stays."""
        with self.empty() as catalog:
            upload = begin(catalog)
            file = finalize(catalog, upload)
            assert catalog.abort(upload.upload_id) is False
            assert catalog.file(upload.upload_id) == file
            assert catalog.upload(upload.upload_id) is not None

    def test_of_finalizes_and_aborts_one_kind_wins(self) -> None:
        """Either the file is there and nobody aborted it, or one aborted it and nobody got a file."""
        with self.empty() as catalog:
            for first in (0, 1) * 3:
                upload = begin(catalog)
                kinds = (partial(finalize, catalog, upload), partial(catalog.abort, upload.upload_id))
                found = returned(race([kinds[(first + n) % 2] for n in range(6)]))
                files, aborted = found[first::2], found[1 - first :: 2]
                file = catalog.file(upload.upload_id)
                assert files == [file] * 3
                assert aborted.count(True) == (0 if file else 1)

    def test_a_deleted_file_takes_its_upload_with_it(self) -> None:
        """It can't be deleted again, is not listed, and its upload can't become a file again."""
        with self.empty() as catalog:
            upload = begin(catalog)
            finalize(catalog, upload)
            assert catalog.delete_file(upload.upload_id) is True
            assert catalog.delete_file(upload.upload_id) is False
            assert catalog.file(upload.upload_id) is None
            assert catalog.upload(upload.upload_id) is None
            assert finalize(catalog, upload) is None
            assert catalog.list_files(Query(limit=10)).files == ()

    def test_an_open_upload_is_no_file_to_delete(self) -> None:
        """It is aborted instead."""
        with self.empty() as catalog:
            upload = begin(catalog)
            assert catalog.delete_file(upload.upload_id) is False
            assert catalog.upload(upload.upload_id) == upload

    def test_of_many_who_delete_a_file_exactly_one_does(self) -> None:
        """The others hear that it is unknown."""
        with self.empty() as catalog:
            (file_id,) = add_files(catalog, "a")
            deleted = returned(race([lambda: catalog.delete_file(file_id)] * 6))
            assert sorted(deleted) == [False] * 5 + [True]

    def test_the_stock_is_what_the_files_are(self) -> None:
        """Open uploads are not in it, and deleted files not any more."""
        with self.empty() as catalog:
            assert catalog.stock() == Stock(0, 0)
            uploads = [begin(catalog, size_bytes=size_bytes) for size_bytes in (0, 7, 1 << 50)]
            for upload in uploads[1:]:
                finalize(catalog, upload)
            assert catalog.stock() == Stock(2, (1 << 50) + 7)
            catalog.delete_file(uploads[2].upload_id)
            assert catalog.stock() == Stock(1, 7)

    def test_everything_written_is_counted(self) -> None:
        """A record for each change, in as many commits or fewer; a change that did not happen counts as little."""
        with self.empty() as catalog:
            before = catalog.commits()
            ids = add_files(catalog, "a")
            catalog.delete_file(ids[0])
            after = catalog.commits()
            assert after.records == before.records + 3
            assert 1 <= after.commits - before.commits <= 3
            assert after.waiting == 0
