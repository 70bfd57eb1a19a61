"""Files that the server lists under a run's name, and that are in nobody's ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from upswarm.audit.examiner import RETRY
from upswarm.audit.ledger import Entry
from upswarm.transfer.access import Access
from upswarm.transfer.failures import TransferError
from upswarm.transfer.stored import Listable, Listed


class Known(Protocol):
    """What is in the ledger, and how the names of the run's files begin."""

    @property
    def entries(self) -> Callable[[], Iterator[Entry]]:
        """All of it, each time anew."""

    @property
    def prefix(self) -> str:
        """The beginning of all names."""


class Orphans:
    """Looks for them once; `note` says why that could not be done, if it could not."""

    def __init__(self, known: Known, access: Access) -> None:
        self._known = known
        self._access = access
        self.note = ""

    def found(self) -> Iterator[Listed]:
        """Page by page; the ids of the ledger are in memory meanwhile."""
        protocol = self._access.protocol
        if not isinstance(protocol, Listable):
            name = self._access.protocol_name
            self.note = f"{name} has no list of files, so nobody knows whether there are more than were promised"
            return
        ids = {entry.file_id for entry in self._known.entries()}
        exchange, following = self._access.exchange(RETRY), ""
        try:
            while True:
                page = exchange.perform(partial(protocol.listing, self._known.prefix, following))
                yield from (each for each in page.files if each.file_id not in ids)
                following = page.following
                if not following:
                    return
        except TransferError as error:
            self.note = f"the server's list of files could not be read, so orphans are not known: {error.message}"
        finally:
            exchange.hang_up()
