"""A catalog plugin whose disk can be made to hang, as a network file system does."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upswarm_server.catalogs.sqlite import SqliteCatalog
from upswarm_server.meter import Meter
from upswarm_server.offload import Offload
from upswarm_server.settings import Settings


class HangingCatalog(SqliteCatalog):
    """Counts open uploads when nobody holds `hang`; the system call that waits for it stops a whole thread."""

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload, meter: Meter) -> HangingCatalog:
        catalog = super().from_settings(settings, offload, meter)
        catalog.look_through = offload
        catalog.hang = settings.data_dir / "hang"
        return catalog

    def count_open(self, now_s: float) -> int:
        self.look_through(lambda: _wait_for(self.hang))
        return super().count_open(now_s)


@contextmanager
def hung(data_dir: Path) -> Iterator[None]:
    """While this goes on, the catalog does not answer."""
    fd = os.open(data_dir / "hang", os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def _wait_for(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)
