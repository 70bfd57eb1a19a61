"""Claims about uploads whose time is over; a part of `upswarm.testing.catalogs.CatalogContract`."""

from __future__ import annotations

from dataclasses import replace

from upswarm.testing.records import LIFETIME_S, NOW_S, WIDE, CatalogClaims, add_files, an_upload, begin, finalize


class ExpiryClaims(CatalogClaims):
    """Claims about uploads whose time is over."""

    def test_open_uploads_are_listed_until_they_are_finalized_aborted_or_freed(self) -> None:
        """The expired ones too."""
        with self.empty() as catalog:
            finalized, aborted, freed, kept = (begin(catalog) for _ in range(4))
            assert len(catalog.open_uploads()) == 4
            finalize(catalog, finalized)
            catalog.abort(aborted.upload_id)
            assert catalog.freed(freed.upload_id) is True
            assert list(catalog.open_uploads()) == [kept.upload_id]

    def test_expired_uploads_are_listed_from_the_oldest_on(self) -> None:
        """From the very moment that they say, as many as are asked for."""
        with self.empty() as catalog:
            uploads = [replace(an_upload(), expires_at_s=NOW_S + n) for n in (3, 1, 2)]
            for upload in uploads:
                catalog.begin(upload, WIDE)
            third, first, second = (upload.upload_id for upload in uploads)
            assert list(catalog.expired(NOW_S + 0.9, 10)) == []
            assert list(catalog.expired(NOW_S + 2, 10)) == [first, second]
            assert list(catalog.expired(NOW_S + 9, 1)) == [first]
            catalog.freed(first)
            finalize(catalog, uploads[2])
            assert list(catalog.expired(NOW_S + 9, 10)) == [third]

    def test_a_freed_upload_is_known_until_it_is_forgotten(self) -> None:
        """So that its client hears what became of it, for a while."""
        with self.empty() as catalog:
            upload, open_upload = begin(catalog), begin(catalog)
            catalog.freed(upload.upload_id)
            expires_at_s = NOW_S + LIFETIME_S
            assert catalog.forget_expired(expires_at_s) == 0
            assert catalog.upload(upload.upload_id) == upload
            assert catalog.forget_expired(expires_at_s + 0.5) == 1
            assert catalog.upload(upload.upload_id) is None
            assert catalog.upload(open_upload.upload_id) == open_upload

    def test_only_an_open_upload_is_freed(self) -> None:
        """Not a file, and nothing unknown."""
        with self.empty() as catalog:
            (file_id,) = add_files(catalog, "a.bin")
            assert catalog.freed(file_id) is False
            assert catalog.freed(an_upload().upload_id) is False
            assert catalog.forget_expired(NOW_S * 2) == 0
            assert catalog.file(file_id) is not None
