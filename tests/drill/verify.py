"""Did the server keep its word? Everything in the ledger is held against what it answers and what is on its disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.drill.clients import indices_of
from tests.drill.ledger import Entry, Ledger
from tests.drill.links import Address, Link


def verify(ledger: Ledger, address: Address, data_dir: Path) -> Counter[str]:
    """Note every broken promise in the ledger's losses and count what was checked; empties the server.

    Nobody else may use the server meanwhile.
    """
    checking = _Checking(ledger, Link(address), data_dir)
    checking.check_listing()
    checking.check_disk()
    for entry in ledger.entries:
        checking.check(entry)
    checking.empty()
    return checking.counts


class _Checking:
    def __init__(self, ledger: Ledger, link: Link, data_dir: Path) -> None:
        self._ledger = ledger
        self._link = link
        self._data_dir = data_dir
        self._listed = Counter(file["file_id"] for file in _listing(link))
        self.counts: Counter[str] = Counter()

    def check_listing(self) -> None:
        """No file exists that nobody finalized, or that was deleted, and none is listed twice."""
        may_exist = {entry.upload_id for entry in self._ledger.entries if entry.finalize_sent and not entry.gone}
        for file_id, times in self._listed.items():
            if file_id not in may_exist:
                self._lose(f"file {file_id} is listed: expected no such file, for it was deleted or never finalized")
            if times != 1:
                self._lose(f"file {file_id} is listed {times} times: expected once")

    def check_disk(self) -> None:
        """Bytes and maps belong to uploads and files that the server knows."""
        known = {entry.upload_id for entry in self._ledger.entries}
        unknown = 0
        for upload_id in _names(self._data_dir / "data"):
            if self._state(upload_id) is None:
                self._lose(f"data/ has bytes under {upload_id}: expected none, for no record knows them")
        for upload_id in _names(self._data_dir / "open"):
            if (state := self._state(upload_id)) != "open":
                self._lose(f"open/ has a map of {upload_id}: expected none, for the upload is {state or 'unknown'}")
            unknown += upload_id not in known
        if unknown > (most := self._ledger.counts["init_unanswered"]):
            self._lose(f"{unknown} open uploads were never acknowledged: expected at most {most}, the unanswered inits")

    def check(self, entry: Entry) -> None:
        """One upload."""
        if entry.gone:
            self._check_gone(entry)
        elif entry.record is not None:
            self._check_file(entry, entry.record)
        elif self._state(entry.upload_id) == "finalized" and entry.finalize_sent:
            self._check_file(entry, None)
        elif not entry.end_sent:
            self._check_open(entry)

    def empty(self) -> None:
        """Delete and abort everything: then no byte is left."""
        for file in list(_listing(self._link)):
            self._link.insist("DELETE", f"/v1/files/{file['file_id']}")
        for upload_id in _names(self._data_dir / "open"):
            self._link.insist("DELETE", f"/v1/uploads/{upload_id}")
        self._link.close()
        for folder in ("data", "open"):
            for name in _names(self._data_dir / folder):
                self._lose(f"{folder}/ still has {name}: expected nothing after everything was deleted and aborted")

    def _check_gone(self, entry: Entry) -> None:
        paths = (f"/v1/uploads/{entry.upload_id}", f"/v1/files/{entry.upload_id}")
        for path in paths:
            if (answer := self._link.insist("GET", path)).status != 404:
                self._lose(f"{entry} came back: expected 404 for {path}, found {answer}")
        self.counts["gone"] += 1

    def _check_file(self, entry: Entry, record: dict[str, Any] | None) -> None:
        path = f"/v1/files/{entry.upload_id}"
        found = self._link.insist("GET", path)
        if found.status != 200 or (record is not None and found.document != record):
            self._lose(f"the record of {entry}: expected {record or 'one'}, found {found}")
            return
        if found.document["size_bytes"] != entry.plan.size_bytes or self._listed[entry.upload_id] != 1:
            self._lose(f"{entry} is listed {self._listed[entry.upload_id]} times with {found.document['size_bytes']} B")
        self._check_content(entry)
        self.counts["files"] += 1
        self.counts["bytes"] += entry.plan.size_bytes

    def _check_content(self, entry: Entry) -> None:
        try:
            content = self._link.ask("GET", f"/v1/files/{entry.upload_id}/content")
        except Exception as error:  # a file that is cut short breaks the connection
            self._lose(f"the content of {entry} can't be read: {error}")
            return
        expected = entry.plan.content
        if content.status != 200:
            self._lose(f"the content of {entry}: expected 200, found {content}")
        elif content.body != expected:
            at = next((n for n, (a, b) in enumerate(zip(content.body, expected, strict=False)) if a != b), -1)
            self._lose(f"the content of {entry} has {len(content.body)} B and differs at byte {at}")

    def _check_open(self, entry: Entry) -> None:
        probe = self._link.insist("GET", f"/v1/uploads/{entry.upload_id}")
        if probe.status != 200 or probe.document["state"] != "open":
            self._lose(f"{entry}: expected an open upload, found {probe}")
            return
        received = indices_of(probe.document["received_chunks"])
        if lost := entry.chunks - received:
            self._lose(f"acknowledged chunks {sorted(lost)} of {entry} are missing")
        if extra := received - entry.chunks_sent:
            self._lose(f"chunks {sorted(extra)} of {entry} are there: expected none, for nobody sent them")
        self._resume(entry, indices_of(probe.document["missing_chunks"]))

    def _resume(self, entry: Entry, missing: set[int]) -> None:
        path = f"/v1/uploads/{entry.upload_id}"
        for index in sorted(missing):
            answer = self._link.insist("PUT", f"{path}/chunks/{index}", entry.plan.chunk(index))
            if answer.status != 204:
                self._lose(f"chunk {index} of {entry} can't be resumed: {answer}")
                return
        answer = self._link.insist("POST", f"{path}/finalize")
        if answer.status != 201:
            self._lose(f"{entry} can't be resumed and finalized: {answer}")
            return
        self._check_content(entry)
        self.counts["resumed"] += 1

    def _state(self, upload_id: str) -> str | None:
        answer = self._link.insist("GET", f"/v1/uploads/{upload_id}")
        return str(answer.document["state"]) if answer.status == 200 else None

    def _lose(self, what: str) -> None:
        self._ledger.lose(what)


def _listing(link: Link) -> Iterator[dict[str, Any]]:
    cursor: str | None = "0"
    while cursor is not None:
        page = link.insist("GET", f"/v1/files?limit=1000&cursor={cursor}").document
        yield from page["files"]
        cursor = page["next_cursor"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
