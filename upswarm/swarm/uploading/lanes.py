"""Greenlets: how chunks of one upload travel at the same time under Locust, and how long work lets others run."""

from __future__ import annotations

from collections.abc import Sequence

import gevent

from upswarm.transfer.lanes import Work


def together(works: Sequence[Work], /) -> None:
    """All at the same time; when the upload is stopped, its lanes are."""
    lanes = [gevent.spawn(work) for work in works]
    try:
        gevent.joinall(lanes, raise_error=True)
    finally:
        gevent.killall(lanes)


def let_others_run() -> None:
    """A rest that is long enough for the loop to look at its sockets: of those that rest for 0 s it runs many first."""
    gevent.sleep(0.0001)
