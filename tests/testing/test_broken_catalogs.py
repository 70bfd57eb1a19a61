"""Each of these catalogs is whole but for one thing, and the suites find it out."""

import re
import tempfile
import time
import unittest
from dataclasses import replace

import pytest

from tests.scratch import IN_MEMORY
from tests.testing.test_broken_stores import broken_by, prepared
from tests.testing.test_contracts import claims
from upswarm.testing.catalogs import CatalogContract
from upswarm.testing.workers import SharedCatalogContract
from upswarm_server.catalogs.base import Page
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.catalogs.sqlite import SqliteCatalog


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", IN_MEMORY)


class LetsTheLastOneWin(MemoryCatalog):
    def finalize(self, upload, file):
        if self.upload(upload.upload_id) is None:
            return None
        self._uploads[upload.upload_id] = upload
        self._files[file.file_id] = (1, file)
        return file


class LooksBeforeItsTurn(MemoryCatalog):
    """Counts, and then records: two steps, between which others count too."""

    def begin(self, upload, bounds):
        open_uploads = self._open(upload.created_at_s)
        bounds.check_open(len(open_uploads))
        bounds.check_quota(upload, sum(each.size_bytes for each in open_uploads))
        time.sleep(0.01)
        self._uploads[upload.upload_id] = upload


class RecordsTheRefused(MemoryCatalog):
    def begin(self, upload, bounds):
        self._uploads[upload.upload_id] = upload
        bounds.check_open(self.count_open(upload.created_at_s) - 1)


class CountsTheExpired(MemoryCatalog):
    def count_open(self, now_s):
        return super().count_open(0)


class CountsByTheWallClock(MemoryCatalog):
    def _open(self, now_s):
        return super()._open(0)


class CountsFilesOnly(MemoryCatalog):
    def begin(self, upload, bounds):
        bounds.check_quota(upload, self.stock().size_bytes)
        super().begin(upload, replace(bounds, quota_bytes=0))


class AbortsFiles(MemoryCatalog):
    def abort(self, upload_id):
        self.delete_file(upload_id)
        return super().abort(upload_id)


class KeepsTheUploadOfADeletedFile(MemoryCatalog):
    def delete_file(self, file_id):
        known = self._uploads.get(file_id)
        deleted = super().delete_file(file_id)
        if deleted:
            self._uploads[file_id] = known
        return deleted


class DeletesTwice(MemoryCatalog):
    def delete_file(self, file_id):
        known = file_id in self._files
        time.sleep(0.01)
        super().delete_file(file_id)
        return known


class RoundsTimes(MemoryCatalog):
    def upload(self, upload_id):
        known = super().upload(upload_id)
        return known and replace(known, created_at_s=float(int(known.created_at_s)))


class RaisesForTheUnknown(MemoryCatalog):
    def file(self, file_id):
        assert file_id in self._files
        return super().file(file_id)


class PagesByPlace(MemoryCatalog):
    """The cursor is how many files were shown, which is another place as soon as one of them is deleted."""

    def list_files(self, query):
        files = super().list_files(replace(query, after=0, limit=1000)).files[query.after :]
        end = query.after + query.limit
        return Page(files[: query.limit], end if len(files) > query.limit else None)


class PagesByName(MemoryCatalog):
    def list_files(self, query):
        page = super().list_files(query)
        return Page(tuple(sorted(page.files, key=lambda file: file.filename)), page.next_cursor)


class EndsWithAnEmptyPage(MemoryCatalog):
    def list_files(self, query):
        page = super().list_files(query)
        numbers = {file.file_id: number for number, file in self._files.values()}
        full = len(page.files) == query.limit
        return Page(page.files, numbers[page.files[-1].file_id] if full else None)


class GivesNumbersAgain(MemoryCatalog):
    def finalize(self, upload, file):
        kept = super().finalize(upload, file)
        if kept is file:
            highest = max((number for number, other in self._files.values() if other is not file), default=0)
            self._files[file.file_id] = (highest + 1, file)
        return kept


class TakesPrefixesForPatterns(MemoryCatalog):
    def list_files(self, query):
        page = super().list_files(replace(query, prefix=""))
        pattern = re.escape(query.prefix).replace("%", ".*").replace("_", ".")
        return Page(tuple(file for file in page.files if re.match(pattern, file.filename)), None)


class IgnoresCase(MemoryCatalog):
    def list_files(self, query):
        page = super().list_files(replace(query, prefix=""))
        return Page(tuple(file for file in page.files if file.filename.lower().startswith(query.prefix)), None)


class SearchesWithinThePage(MemoryCatalog):
    def list_files(self, query):
        page = super().list_files(replace(query, prefix=""))
        return Page(tuple(file for file in page.files if file.filename.startswith(query.prefix)), page.next_cursor)


class CountsCommitsOfNothing(MemoryCatalog):
    def commits(self):
        return replace(super().commits(), commits=0)


class ForgetsWhoExpired(MemoryCatalog):
    def freed(self, upload_id):
        freed = super().freed(upload_id)
        self.abort(upload_id)
        return freed


BROKEN = [
    (LetsTheLastOneWin, "test_a_second_finalize_gets_the_first_ones_file"),
    (LetsTheLastOneWin, "test_of_many_racing_finalizes_exactly_one_wins"),
    (LooksBeforeItsTurn, "test_of_many_who_begin_at_the_bound_as_many_do_as_may"),
    (LooksBeforeItsTurn, "test_of_many_who_begin_at_the_quota_as_many_do_as_fit"),
    (RecordsTheRefused, "test_no_more_uploads_are_open_than_may_be"),
    (CountsTheExpired, "test_only_open_uploads_that_have_not_expired_count"),
    (CountsByTheWallClock, "test_expired_uploads_make_place_for_new_ones"),
    (CountsFilesOnly, "test_files_and_open_uploads_share_the_quota"),
    (AbortsFiles, "test_a_finalized_upload_is_not_aborted"),
    (AbortsFiles, "test_of_finalizes_and_aborts_one_kind_wins"),
    (KeepsTheUploadOfADeletedFile, "test_a_deleted_file_takes_its_upload_with_it"),
    (DeletesTwice, "test_of_many_who_delete_a_file_exactly_one_does"),
    (RoundsTimes, "test_an_upload_is_found_as_it_was_begun"),
    (RaisesForTheUnknown, "test_an_unknown_id_is_nothing"),
    (PagesByPlace, "test_pages_go_on_where_they_were_whatever_is_deleted_meanwhile"),
    (PagesByName, "test_files_are_listed_in_the_order_of_finalizing"),
    (EndsWithAnEmptyPage, "test_a_page_is_as_long_as_was_asked_for_and_a_full_last_one_is_the_last"),
    (GivesNumbersAgain, "test_a_number_is_not_given_twice"),
    (TakesPrefixesForPatterns, "test_files_are_found_by_client_and_prefix"),
    (IgnoresCase, "test_files_are_found_by_client_and_prefix"),
    (SearchesWithinThePage, "test_pages_of_a_search_show_every_match_once"),
    (CountsCommitsOfNothing, "test_everything_written_is_counted"),
    (ForgetsWhoExpired, "test_a_freed_upload_is_known_until_it_is_forgotten"),
]


@pytest.mark.parametrize(("broken", "claim"), BROKEN)
def test_the_catalog_contract_finds_what_is_broken(broken, claim):
    assert broken_by(CatalogContract, claim, "catalog", lambda scratch: broken())
    assert not broken_by(CatalogContract, claim, "catalog", lambda scratch: MemoryCatalog())


class SharedSqlite(SqliteCatalog):
    def __init__(self, scratch):
        super().__init__(scratch / "catalog.sqlite3")


class WritesLater(SharedSqlite):
    """Answers first and writes when it is closed, which nobody does for a process that is killed."""

    def begin(self, upload, bounds):
        self.later = [*getattr(self, "later", []), (upload, bounds)]

    def upload(self, upload_id):
        mine = [upload for upload, _ in getattr(self, "later", []) if upload.upload_id == upload_id]
        return mine[0] if mine else super().upload(upload_id)

    def close(self):
        for upload, bounds in getattr(self, "later", []):
            super().begin(upload, bounds)
        super().close()


class StartsAnew(SharedSqlite):
    def prepare(self):
        for path in self._path.parent.iterdir():
            path.unlink()
        super().prepare()


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (lambda scratch: MemoryCatalog(), "test_every_worker_sees_what_was_written"),
        (lambda scratch: MemoryCatalog(), "test_workers_share_the_bounds"),
        (lambda scratch: MemoryCatalog(), "test_of_workers_that_race_to_finalize_exactly_one_wins"),
        (WritesLater, "test_every_worker_sees_what_was_written"),
        (StartsAnew, "test_what_was_written_survives_the_death_of_its_worker"),
    ],
)
def test_the_contract_of_shared_catalogs_finds_what_is_broken(broken, claim):
    assert broken_by(SharedCatalogContract, claim, "catalog", prepared(broken))
    assert not broken_by(SharedCatalogContract, claim, "catalog", prepared(SharedSqlite))


def test_a_catalog_that_is_whole_keeps_every_claim_under_unittest_too():
    suite = type("Suite", (CatalogContract, unittest.TestCase), {"catalog": lambda self, scratch: MemoryCatalog()})
    result = unittest.TestResult()
    unittest.TestLoader().loadTestsFromTestCase(suite).run(result)
    assert (result.errors, result.failures, result.skipped) == ([], [], [])
    assert result.testsRun == len(claims(CatalogContract)) > 20
