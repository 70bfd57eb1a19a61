"""What the server has acknowledged: written down before the next request is sent, and held against it at the end."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drill.plans import Plan


@dataclass
class Entry:
    """One upload that was begun. What was only sent may have happened; what was acknowledged must have."""

    plan: Plan
    upload_id: str
    chunks_sent: set[int] = field(default_factory=set)
    chunks: set[int] = field(default_factory=set)
    finalize_sent: bool = False
    record: dict[str, Any] | None = None
    end_sent: bool = False
    gone: bool = False

    def __str__(self) -> str:
        return f"{self.plan.filename} (upload {self.upload_id}, {self.plan.size_bytes} B)"


class Ledger:
    """All entries, a count of each kind of event, and what went wrong; many threads write, each on its own uploads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self.entries: list[Entry] = []
        self.counts: Counter[str] = Counter()
        self.losses: list[str] = []

    def begun(self, plan: Plan, upload_id: str) -> Entry:
        """201 for an init."""
        entry = Entry(plan, upload_id)
        with self._lock:
            self.entries.append(entry)
        self._write("begun", entry, filename=plan.filename)
        return entry

    def init_unanswered(self) -> None:
        """An init without an answer may have made an upload that nobody knows."""
        self._count("init_unanswered")

    def chunk_sent(self, entry: Entry, index: int) -> None:
        """A chunk is about to be sent."""
        entry.chunks_sent.add(index)

    def chunk(self, entry: Entry, index: int, *, by: str = "answer") -> None:
        """204 for a chunk, or a probe that says that it is there: a promise, too."""
        entry.chunks.add(index)
        self._write("chunk", entry, index=index, by=by)

    def finalize_sent(self, entry: Entry) -> None:
        """A finalize is about to be sent."""
        entry.finalize_sent = True
        self._write("finalize_sent", entry)

    def finalized(self, entry: Entry, record: dict[str, Any]) -> None:
        """201 for a finalize, with the file's record."""
        entry.record = record
        self._write("finalized", entry, record=record)

    def end_sent(self, entry: Entry, kind: str) -> None:
        """An abort or a delete is about to be sent."""
        entry.end_sent = True
        self._write(f"{kind}_sent", entry)

    def gone(self, entry: Entry, kind: str) -> None:
        """204 for an abort or a delete."""
        entry.gone = True
        self._write(kind, entry)

    def note(self, event: str) -> None:
        """Something that is only counted."""
        self._count(event)

    def lose(self, what: str) -> None:
        """The server broke its word, or answered what it must not answer."""
        with self._lock:
            self.losses.append(what)
        self._write("loss", None, what=what)

    def close(self) -> None:
        """Nothing more will be written."""
        self._file.close()

    def _count(self, event: str) -> None:
        with self._lock:
            self.counts[event] += 1

    def _write(self, event: str, entry: Entry | None, **facts: Any) -> None:
        line = {"event": event, "upload_id": entry and entry.upload_id, **facts}
        with self._lock:
            self.counts[event] += 1
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
