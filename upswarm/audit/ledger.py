"""The ledger: every receipt that a client was given, one JSON document in a line, written when it was given.

A run's folder has `ledger.jsonl`: a run without workers writes it itself, and a master what its workers reported. Each
worker writes `ledger.WORKER.jsonl`; what is left of one that was lost is read beside the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from upswarm.errors import UsageError
from upswarm.transfer.records import End, Outcome, Receipt

LEDGER_FILE = "ledger.jsonl"
Document = dict[str, Any]


class Entry(NamedTuple):
    """A receipt. `number` is the file's in the run, which its bytes follow from; None for a file of somebody's own.

    `at_s` counts from the start of the run, at the worker that has it.
    """

    file_id: str
    file_name: str
    size_bytes: int
    number: int | None = None
    file_class: str = ""
    worker: str = ""
    at_s: float = 0.0

    @property
    def receipt(self) -> Receipt:
        """As the server gave it."""
        return Receipt(self.file_id, self.size_bytes)

    @classmethod
    def of_outcome(cls, outcome: Outcome, worker: str, started_s: float) -> Entry | None:
        """None where nothing was promised: an upload whose last answer never came has no receipt."""
        receipt = outcome.receipt
        if outcome.end is not End.FINISHED or receipt is None:
            return None
        at_s = round(outcome.ended_s - started_s, 3)
        return cls(
            receipt.file_id, outcome.file_name, receipt.size_bytes, outcome.number, outcome.file_class, worker, at_s
        )

    def to_document(self) -> Document:
        """As JSON and msgpack can carry it."""
        return self._asdict()

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Entry:
        """What `to_document` wrote; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        entry = cls(**document)
        number_fits = entry.number is None or type(entry.number) is int
        if not isinstance(entry.file_id, str) or type(entry.size_bytes) is not int or not number_fits:
            raise ValueError(f"no entry of a ledger: {document!r}")
        return entry


class LedgerFile:
    """Appends entries to a file. A line is with the system before anybody goes on; it is not forced onto the disk.

    So a process that is killed loses no entry, and a machine that loses its power may lose the last ones. Nothing is
    held back in a buffer, that a full disk could refuse once more when the file is closed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None

    def append(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Write entries as lines; raises `OSError`, and then none of them is there. The first ones make the file."""
        lines = "".join(json.dumps(document) + "\n" for document in documents).encode()
        if not lines:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        written = self._file.write(lines)
        if written < len(lines):
            self._append_rest(self._file, lines, written)

    def close(self) -> None:
        """There is nothing more to come."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @staticmethod
    def _append_rest(file: FileIO, lines: bytes, written: int) -> None:
        """A disk that is nearly full takes a part, and says why it took no more only when it is asked again."""
        try:
            while written < len(lines):
                written += file.write(lines[written:])
        except OSError:
            file.truncate(file.tell() - written)
            raise


def worker_file(folder: Path, worker_id: str) -> Path:
    """Where a worker writes, in its own folder of a run."""
    return folder / f"ledger.{re.sub(r'[^A-Za-z0-9_-]', '_', worker_id)}.jsonl"


def ledgers_of(folder: Path) -> list[Path]:
    """Every ledger that lies in a run's folder."""
    return sorted(folder.glob("ledger*.jsonl"))


def read(paths: Iterable[Path]) -> Iterator[Entry]:
    """The entries of some ledgers, each once; raises `UsageError` for what is none.

    A last line without its end is what is left of a worker that was killed while it wrote: nobody was told of that.
    """
    seen: set[str] = set()
    paths = list(paths)
    for path in paths:
        for entry in _entries(path):
            if len(paths) > 1:
                if entry.file_id in seen:
                    continue
                seen.add(entry.file_id)
            yield entry


def _entries(path: Path) -> Iterator[Entry]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith("\n"):
                    yield _entry(line, f"{path}:{number}")
    except OSError as error:
        raise UsageError(f"expected a ledger at {path}: {error.strerror}", hint="see docs/audit.md") from error


def _entry(line: str, where: str) -> Entry:
    try:
        return Entry.of_document(json.loads(line))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{where}: expected an entry of a ledger, found {line.strip()[:80]!r}") from error
