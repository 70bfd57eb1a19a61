"""What every catalog must do. A catalog's own tests inherit from `CatalogContract` and say how one is made."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

import pytest

from upswarm_server.catalogs.base import Bounds, Catalog, Query
from upswarm_server.model import File, Upload, UploadState
from upswarm_server.problems import Problem

NOW_S = 1_800_000_000.0
WIDE = Bounds(max_open_uploads=1000)


def an_upload(filename: str = "a.bin", size_bytes: int = 1000, client_id: str | None = "client-1") -> Upload:
    return Upload(
        upload_id=str(uuid.uuid4()),
        filename=filename,
        size_bytes=size_bytes,
        chunk_size_bytes=400,
        created_at_s=NOW_S,
        expires_at_s=NOW_S + 60,
        metadata={"colour": "grün", "depth": [1, {"two": None}]},
        client_id=client_id,
        client_timestamp=1.5,
    )


def finalize(catalog: Catalog, upload: Upload, at_s: float = NOW_S + 1) -> File | None:
    return catalog.finalize(*upload.finalized(at_s, "host"))


def add_files(catalog: Catalog, *names: str, client_id: str | None = "client-1") -> list[str]:
    ids = []
    for name in names:
        upload = an_upload(name, client_id=client_id)
        catalog.begin(upload, WIDE)
        ids.append(upload.upload_id)
        assert finalize(catalog, upload)
    return ids


class CatalogContract:
    @pytest.fixture
    def catalog(self) -> Catalog:
        """A prepared, empty catalog."""
        raise NotImplementedError

    def test_an_upload_is_found_as_it_was_begun(self, catalog: Catalog) -> None:
        upload = an_upload()
        catalog.begin(upload, WIDE)
        assert catalog.upload(upload.upload_id) == upload
        assert catalog.upload(str(uuid.uuid4())) is None

    def test_a_finalized_upload_knows_its_file(self, catalog: Catalog) -> None:
        upload = an_upload()
        catalog.begin(upload, WIDE)
        file = finalize(catalog, upload)
        assert file is not None
        assert catalog.file(file.file_id) == file
        known = catalog.upload(upload.upload_id)
        assert known is not None
        assert known.state is UploadState.FINALIZED
        assert known.file_id == file.file_id

    def test_a_second_finalize_gets_the_first_ones_file(self, catalog: Catalog) -> None:
        upload = an_upload()
        catalog.begin(upload, WIDE)
        first = finalize(catalog, upload, NOW_S + 1)
        assert finalize(catalog, upload, NOW_S + 2) == first
        assert len(catalog.list_files(Query(limit=10)).files) == 1

    def test_of_many_racing_finalizes_exactly_one_wins(self, catalog: Catalog) -> None:
        upload = an_upload()
        catalog.begin(upload, WIDE)
        found: list[File | None] = []
        racers = [
            threading.Thread(target=lambda at_s=NOW_S + n: found.append(finalize(catalog, upload, at_s)))
            for n in range(8)
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(found) == 8
        assert all(file == found[0] for file in found)

    def test_an_unknown_upload_is_not_finalized(self, catalog: Catalog) -> None:
        assert finalize(catalog, an_upload()) is None

    def test_an_aborted_upload_is_forgotten(self, catalog: Catalog) -> None:
        upload = an_upload()
        catalog.begin(upload, WIDE)
        assert catalog.abort(upload.upload_id)
        assert not catalog.abort(upload.upload_id)
        assert catalog.upload(upload.upload_id) is None
        assert finalize(catalog, upload) is None

    def test_a_finalized_upload_is_not_aborted(self, catalog: Catalog) -> None:
        (file_id,) = add_files(catalog, "a.bin")
        assert not catalog.abort(file_id)
        assert catalog.file(file_id) is not None

    def test_a_deleted_file_takes_its_upload_with_it(self, catalog: Catalog) -> None:
        (file_id,) = add_files(catalog, "a.bin")
        assert catalog.delete_file(file_id)
        assert not catalog.delete_file(file_id)
        assert catalog.file(file_id) is None
        assert catalog.upload(file_id) is None

    def test_only_open_uploads_that_have_not_expired_count(self, catalog: Catalog) -> None:
        for _ in range(3):
            catalog.begin(an_upload(), WIDE)
        add_files(catalog, "a.bin")
        assert catalog.count_open(NOW_S) == 3
        assert catalog.count_open(NOW_S + 60) == 0

    def test_no_more_uploads_are_open_than_may_be(self, catalog: Catalog) -> None:
        bounds = Bounds(max_open_uploads=2)
        first = an_upload()
        catalog.begin(first, bounds)
        catalog.begin(an_upload(), bounds)
        with pytest.raises(Problem, match="open_uploads_exceeded"):
            catalog.begin(an_upload(), bounds)
        finalize(catalog, first)
        catalog.begin(an_upload(), bounds)

    def test_expired_uploads_make_place_for_new_ones(self, catalog: Catalog) -> None:
        bounds = Bounds(max_open_uploads=1, quota_bytes=1000)
        catalog.begin(an_upload(), bounds)
        catalog.begin(replace(an_upload(), created_at_s=NOW_S + 61, expires_at_s=NOW_S + 120), bounds)

    def test_files_and_open_uploads_share_the_quota(self, catalog: Catalog) -> None:
        bounds = Bounds(max_open_uploads=10, quota_bytes=2500)
        upload = an_upload()
        catalog.begin(upload, bounds)
        finalize(catalog, upload)
        catalog.begin(an_upload(), bounds)
        with pytest.raises(Problem, match="at most 500 B, found 501 B"):
            catalog.begin(an_upload(size_bytes=501), bounds)
        catalog.begin(an_upload(size_bytes=500), bounds)

    def test_files_are_listed_in_the_order_of_finalizing(self, catalog: Catalog) -> None:
        add_files(catalog, "c", "a", "b")
        assert [file.filename for file in catalog.list_files(Query(limit=10)).files] == ["c", "a", "b"]

    def test_pages_show_every_file_once_whatever_is_added_meanwhile(self, catalog: Catalog) -> None:
        add_files(catalog, *(f"file-{n}" for n in range(5)))
        seen, after = [], 0
        while True:
            page = catalog.list_files(Query(limit=2, after=after))
            seen += [file.filename for file in page.files]
            if page.next_cursor is None:
                break
            if len(seen) == 2:
                add_files(catalog, "late")
            after = page.next_cursor
        assert seen == [*(f"file-{n}" for n in range(5)), "late"]

    def test_a_full_last_page_is_the_last_page(self, catalog: Catalog) -> None:
        add_files(catalog, "a", "b")
        assert catalog.list_files(Query(limit=2)).next_cursor is None

    def test_files_are_found_by_client_and_prefix(self, catalog: Catalog) -> None:
        add_files(catalog, "100%_a", "100x_b", client_id="one")
        add_files(catalog, "100%_c", client_id="two")
        add_files(catalog, "ümlaut", client_id=None)

        def names(**wanted: str) -> list[str]:
            return [file.filename for file in catalog.list_files(Query(limit=10, **wanted)).files]

        assert names(client_id="one") == ["100%_a", "100x_b"]
        assert names(prefix="100%_") == ["100%_a", "100%_c"]
        assert names(prefix="ü") == ["ümlaut"]
        assert names(client_id="two", prefix="100%") == ["100%_c"]
        assert names(client_id="nobody") == []

    def test_everything_written_is_counted(self, catalog: Catalog) -> None:
        before = catalog.commits()
        add_files(catalog, "a")
        after = catalog.commits()
        assert after.records == before.records + 2
        assert after.waiting == 0
