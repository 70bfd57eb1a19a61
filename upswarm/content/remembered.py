"""Digests that were computed already: hashing the same bytes again would bend the stopwatch and teach nothing.

One memory for the whole process, which forgets what was not asked for in the longest time. So a thousand open files
take no more of it than ten.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

MOST = 8192
"""Digests kept; a few MiB at most. Chunks of 8 MiB that many are 64 GiB."""

_known: OrderedDict[Hashable, bytes] = OrderedDict()
_computing: dict[Hashable, threading.Lock] = {}


def remembered(key: Hashable, compute: Callable[[], bytes]) -> bytes:
    """The digest under this key, computed only when it is not known. The key must name algorithm and bytes for good.

    Who asks for one that is being computed, for computing lets others run, waits for it.
    """
    known = _recalled(key)
    if known is not None:
        return known
    with _computing.setdefault(key, threading.Lock()):  # looked up here and now: it may have become gevent's
        digest = _recalled(key)
        if digest is None:
            digest = _known[key] = compute()
    _computing.pop(key, None)
    while len(_known) > MOST:
        _known.popitem(last=False)
    return digest


def _recalled(key: Hashable) -> bytes | None:
    digest = _known.get(key)
    if digest is not None:
        _known.move_to_end(key)
    return digest
