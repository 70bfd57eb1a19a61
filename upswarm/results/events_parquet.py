"""Events as Parquet, in parts.

A Parquet file ends with its table of contents, and without that nobody can read it. So a run leaves parts, each of them
whole once it has its name: `out.parquet`, `out-2.parquet`, … Whoever is killed loses the part that was being written.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from upswarm.errors import UsageError
from upswarm.results.events import Event, free

try:
    import pyarrow
    from pyarrow import parquet
except ImportError as error:
    raise UsageError(
        f"events can't be written as Parquet: {error}", hint="pip install 'upswarm[parquet]', or write them as .csv"
    ) from error

ROWS_AT_ONCE = 5_000
"""So many rows are held in memory, and are a row group: some milliseconds of work."""
PART_ROWS = 500_000
PART_S = 300.0
"""A part is closed when it has so many rows, or tells of so many seconds."""
_TEXT, _TIME, _WHOLE = pyarrow.string(), pyarrow.float64(), pyarrow.int64()
SCHEMA = pyarrow.schema([
    ("run_id", _TEXT), ("worker", _TEXT), ("file", _TEXT), ("file_class", _TEXT), ("phase", _TEXT),
    ("number", _WHOLE), ("due_s", _TIME), ("sent_s", _TIME), ("ended_s", _TIME), ("bytes_sent", _WHOLE),
    ("status", _WHOLE), ("failure", _TEXT), ("connect_s", _TIME), ("send_s", _TIME), ("first_byte_s", _TIME),
    ("reused", pyarrow.bool_()),
])  # fmt: skip


class ParquetSink:
    """Row groups of a part, and part after part."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._rows: list[Event] = []
        self._from_s = math.inf
        self._begin()

    def add(self, event: Event) -> None:
        """Hold it until there are enough for a row group."""
        self._rows.append(event)
        self._from_s = min(self._from_s, event.ended_s)
        if len(self._rows) >= ROWS_AT_ONCE:
            self._write()
        if self._written >= PART_ROWS or event.ended_s - self._from_s >= PART_S:
            self.close()
            self._begin()

    def close(self) -> None:
        """Make a whole file of the part, and give it its name."""
        self._write()
        self._writer.close()
        self._part.rename(free(self._path))

    def _begin(self) -> None:
        self._part = free(self._path.with_name(f".{self._path.name}.part"))
        self._writer: Any = parquet.ParquetWriter(self._part, SCHEMA)
        self._written, self._from_s = 0, math.inf

    def _write(self) -> None:
        columns = dict(zip(Event._fields, zip(*self._rows, strict=True), strict=False))
        self._writer.write_table(pyarrow.table({name: columns.get(name, ()) for name in SCHEMA.names}, schema=SCHEMA))
        self._written += len(self._rows)
        self._rows.clear()
