"""What every catalog's lists of files must keep."""

from __future__ import annotations

from upswarm.testing.records import NOW_S, CatalogClaims, add_files, begin, finalize
from upswarm_server.catalogs.base import Catalog, Page, Query, Stock


def all_pages(catalog: Catalog, limit: int) -> list[Page]:
    """Follow the cursors from the first page to the last one."""
    pages = [catalog.list_files(Query(limit=limit))]
    while (after := pages[-1].next_cursor) is not None:
        assert len(pages) < 100, "expected the pages to come to an end"
        pages.append(catalog.list_files(Query(limit=limit, after=after)))
    return pages


def names_on(*pages: Page) -> list[str]:
    """The filenames on these pages, in order."""
    return [file.filename for page in pages for file in page.files]


class ListingClaims(CatalogClaims):
    """Claims about the pages of `Catalog.list_files`."""

    def test_files_are_listed_in_the_order_of_finalizing(self) -> None:
        """Whatever their names, and whatever the order in which their uploads were begun."""
        with self.empty() as catalog:
            uploads = [begin(catalog, name) for name in ("b", "a", "c")]
            for at_s, upload in enumerate((uploads[2], uploads[0], uploads[1])):
                finalize(catalog, upload, NOW_S - at_s)
            assert names_on(catalog.list_files(Query(limit=10))) == ["c", "b", "a"]

    def test_the_stock_is_all_files_and_nothing_that_is_open(self) -> None:
        """Whosever they are; what is deleted is no part of it any more."""
        with self.empty() as catalog:
            assert catalog.stock() == Stock(0, 0)
            begin(catalog, size_bytes=100)
            large = begin(catalog, size_bytes=1 << 50)
            finalize(catalog, large)
            add_files(catalog, "a", "b", client_id=None)
            assert catalog.stock() == Stock(3, (1 << 50) + 2000)
            catalog.delete_file(large.upload_id)
            assert catalog.stock() == Stock(2, 2000)

    def test_pages_show_every_file_once_whatever_is_added_meanwhile(self) -> None:
        """What is added is on a later page."""
        with self.empty() as catalog:
            add_files(catalog, *(f"file-{n}" for n in range(5)))
            first = catalog.list_files(Query(limit=2))
            add_files(catalog, "late")
            assert first.next_cursor is not None
            second = catalog.list_files(Query(limit=2, after=first.next_cursor))
            assert second.next_cursor is not None
            third = catalog.list_files(Query(limit=2, after=second.next_cursor))
            assert names_on(first, second, third) == [*(f"file-{n}" for n in range(5)), "late"]
            assert third.next_cursor is None

    def test_pages_go_on_where_they_were_whatever_is_deleted_meanwhile(self) -> None:
        """Also when that is the very file with which the page before ended."""
        with self.empty() as catalog:
            ids = add_files(catalog, *"abcdef")
            first = catalog.list_files(Query(limit=2))
            for gone in (ids[0], ids[1], ids[3]):
                catalog.delete_file(gone)
            assert first.next_cursor is not None
            second = catalog.list_files(Query(limit=2, after=first.next_cursor))
            assert names_on(second) == ["c", "e"]
            add_files(catalog, "g")
            assert second.next_cursor is not None
            assert names_on(catalog.list_files(Query(limit=9, after=second.next_cursor))) == ["f", "g"]

    def test_a_number_is_not_given_twice(self) -> None:
        """When the newest file was deleted, the next one stands after it: a cursor behind it must not miss it."""
        with self.empty() as catalog:
            ids = add_files(catalog, *"abc")
            first = catalog.list_files(Query(limit=2))
            assert first.next_cursor is not None
            for file_id in ids:
                catalog.delete_file(file_id)
            add_files(catalog, "d")
            assert names_on(catalog.list_files(Query(limit=2, after=first.next_cursor))) == ["d"]

    def test_a_page_is_as_long_as_was_asked_for_and_a_full_last_one_is_the_last(self) -> None:
        """Of no files there is one page, which is empty."""
        with self.empty() as catalog:
            assert all_pages(catalog, 3) == [Page((), None)]
            add_files(catalog, *"abcdef")
            for limit, lengths in {1: [1] * 6, 2: [2, 2, 2], 4: [4, 2], 6: [6], 7: [6]}.items():
                pages = all_pages(catalog, limit)
                assert [len(page.files) for page in pages] == lengths
                assert names_on(*pages) == [*"abcdef"]

    def test_files_are_found_by_client_and_prefix(self) -> None:
        """To the letter: nothing in them is a pattern, and small letters are not capitals."""
        with self.empty() as catalog:
            add_files(catalog, "100%_a", "100x_b", client_id="one")
            add_files(catalog, "100%_c", "ABC", "abc", "*a", client_id="two")
            add_files(catalog, "ümlaut", client_id=None)

            def names(client_id: str | None = None, prefix: str = "") -> list[str]:
                return names_on(catalog.list_files(Query(limit=10, client_id=client_id, prefix=prefix)))

            assert names(client_id="one") == ["100%_a", "100x_b"]
            assert names(prefix="100%_") == ["100%_a", "100%_c"]
            assert names(prefix="ü") == ["ümlaut"]
            assert names(prefix="a") == ["abc"]
            assert names(prefix="*") == ["*a"]
            assert names(client_id="two", prefix="100%") == ["100%_c"]
            assert names(client_id="nobody") == names(client_id="") == names(prefix="100%_ab") == []

    def test_pages_of_a_search_show_every_match_once(self) -> None:
        """Though other files stand between them."""
        with self.empty() as catalog:
            for name in ("x1", "y1", "x2", "y2", "y3", "x3"):
                add_files(catalog, name)
            first = catalog.list_files(Query(limit=2, prefix="x"))
            assert first.next_cursor is not None
            second = catalog.list_files(Query(limit=2, prefix="x", after=first.next_cursor))
            assert (names_on(first), names_on(second)) == (["x1", "x2"], ["x3"])
            assert second.next_cursor is None
