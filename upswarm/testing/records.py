"""What every claim about a catalog begins with: a catalog of its own, and records for it."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from upswarm_server.catalogs.base import Bounds, Catalog
from upswarm_server.model import File, Upload

NOW_S = 1_800_000_000.0
LIFETIME_S = 60.0
WIDE = Bounds(max_open_uploads=1000)


def an_upload(filename: str = "a.bin", size_bytes: int = 1000, client_id: str | None = "client-1") -> Upload:
    """An upload that is begun now, in a minute's time expired, and has something in every field."""
    return Upload(
        upload_id=str(uuid.uuid4()),
        filename=filename,
        size_bytes=size_bytes,
        chunk_size_bytes=400,
        created_at_s=NOW_S,
        expires_at_s=NOW_S + LIFETIME_S,
        content_type="text/plain; charset=utf-8",
        metadata={"colour": "grün", "depth": [1, {"two": None}], "quote": "'; \"\\ \x01"},
        client_id=client_id,
        client_timestamp=1.5,
        digest="sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    )


def begin(catalog: Catalog, filename: str = "a.bin", size_bytes: int = 1000, bounds: Bounds = WIDE) -> Upload:
    """Record a new upload and return it."""
    upload = an_upload(filename, size_bytes)
    catalog.begin(upload, bounds)
    return upload


def finalize(catalog: Catalog, upload: Upload, at_s: float = NOW_S + 1) -> File | None:
    """Finalize it as the server does; what the catalog says to that."""
    return catalog.finalize(*upload.finalized(at_s, "host"))


def add_files(catalog: Catalog, *names: str, client_id: str | None = "client-1") -> list[str]:
    """Finalize an upload for each name, in this order, and return the files' ids."""
    ids = []
    for name in names:
        upload = an_upload(name, client_id=client_id)
        catalog.begin(upload, WIDE)
        file = finalize(catalog, upload)
        assert file is not None, f"expected a file for {name!r}, found None"
        ids.append(file.file_id)
    return ids


class CatalogClaims:
    """What all claims about a catalog begin with; `catalog` is to be overridden."""

    def catalog(self, scratch: Path) -> Catalog:
        """A prepared, empty catalog that keeps what it keeps in this directory.

        Called again with the same directory, it is the same catalog, as another worker process would make it.
        """
        raise NotImplementedError

    @contextmanager
    def empty(self) -> Iterator[Catalog]:
        """A catalog of the claim's own."""
        with tempfile.TemporaryDirectory() as scratch, closing(self.catalog(Path(scratch))) as catalog:
            yield catalog
