"""Where calls run that block: fsync, hashing a whole file, a commit.

Under gevent one blocking system call stops every connection of the worker, so there such calls go to a pool of
threads (`worker.in_thread_pool`). Everywhere else they run where they are. Stores and catalogs are given one or the
other and know nothing of gevent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Offload(Protocol):
    """Runs a function without arguments somewhere, waits for it, and returns or raises what it did."""

    def __call__(self, function: Callable[[], T], /) -> T:
        """The function's result."""


def direct(function: Callable[[], T], /) -> T:
    """Run it here and now: for plain threads and tests."""
    return function()
