"""The replayed workload: uploads arrive when, and as large as, a recorded schedule says.

A schedule is a CSV of two columns, `time,size`, with quantities as a scenario writes them: `12.5s,8MiB`. A first line
with these names may be there. Where it says `time_s`, a bare number of seconds is no guess any more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from upswarm import units
from upswarm.errors import Finding, ScenarioError
from upswarm.workload.mix import FileDraw

_TIME, _TIME_S = "time", "time_s"
_SIZE_NAMES = ("size", "size_bytes")
_MOST_FINDINGS = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded schedule: arrival n is due at `times_s[n]`, which never falls, and has `sizes_bytes[n]` bytes."""

    times_s: tuple[float, ...]
    sizes_bytes: tuple[int, ...]

    @property
    def duration_s(self) -> float:
        """When the last arrival is due."""
        return self.times_s[-1] if self.times_s else 0.0

    @property
    def count(self) -> int:
        """How many arrivals there are."""
        return len(self.times_s)

    def lasting(self, duration_s: float) -> Replay:
        """What is due before `duration_s`; a record does not go on after its end."""
        count = bisect_left(self.times_s, duration_s)
        return Replay(self.times_s[:count], self.sizes_bytes[:count])

    def due_s(self, number: int) -> float | None:
        """Seconds from the start of the run to the arrival with this number, from 0 on; None after the last one."""
        return self.times_s[number] if number < self.count else None

    def resized(self, draw: FileDraw) -> FileDraw:
        """The mix's file for this arrival, as large as recorded."""
        return replace(draw, size_bytes=self.sizes_bytes[draw.number])


def parse(lines: Iterable[str], source: str) -> Replay:
    """The schedule in the lines of a CSV; `source` is its name in errors.

    Raises `ScenarioError` with all mistakes and their lines; after many it says how many more there are.
    """
    reader = _Reader()
    for number, cells in _rows(lines):
        reader.take(number, cells)
    if not reader.times_s and not reader.findings:
        reader.note(Finding("schedule", "expected at least one line such as 12.5s,8MiB, found none"))
    if reader.findings:
        raise ScenarioError(source, reader.all_findings())
    return Replay(tuple(reader.times_s), tuple(reader.sizes_bytes))


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells; lines that are empty, or begin with `#`, are left out."""
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff").rstrip("\r\n")
        if text.strip() and not text.lstrip().startswith("#"):
            yield number, text.split(",")


class _Reader:
    """Reads one row after the other and keeps what it finds wrong."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.sizes_bytes: list[int] = []
        self.findings: list[Finding] = []
        self._left_out = 0
        self._time_name = _TIME
        self._first = True
        self._latest = (0.0, 0)

    def take(self, line: int, cells: list[str]) -> None:
        """One row, or the names of the columns."""
        first, self._first = self._first, False
        if first and _is_header(cells):
            self._time_name = _bare(cells[0])
        elif len(cells) != 2:
            self.note(
                Finding("line", f"expected a time and a size such as 12.5s,8MiB, found {','.join(cells)!r}", line)
            )
        else:
            self._take_row(line, *cells)

    def note(self, finding: Finding) -> None:
        """Keep a mistake, but no endless list of them."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)
        else:
            self._left_out += 1

    def all_findings(self) -> list[Finding]:
        """The mistakes, and how many were left out."""
        if not self._left_out:
            return self.findings
        last = self.findings[-1]
        return [*self.findings, Finding("schedule", f"has {self._left_out} more mistakes", last.line, last.column)]

    def _take_row(self, line: int, time: str, size: str) -> None:
        time_s = self._read(self._seconds, time, _TIME, line, 1)
        size_bytes = self._read(units.parse_size, size, "size", line, len(time) + 2)
        if time_s is None or size_bytes is None:
            return
        latest_s, latest_line = self._latest
        if time_s < latest_s:
            expected = f"expected a time that is not before the {latest_s:.12g}s of line {latest_line}"
            self.note(Finding(_TIME, f"{expected}, found {_bare(time)!r}", line, 1, "sort the schedule by time"))
        else:
            self._latest = (time_s, line)
            self.times_s.append(time_s)
            self.sizes_bytes.append(size_bytes)

    def _seconds(self, text: object) -> float:
        bare = str(text)
        return units.parse_duration(f"{bare}s" if self._time_name == _TIME_S and bare[-1:].isdigit() else bare)

    def _read(self, parse: Callable[[object], T], cell: str, key: str, line: int, column: int) -> T | None:
        try:
            return parse(_bare(cell))
        except units.UnitError as error:
            hint = "or name the column time_s" if key == _TIME and _bare(cell)[-1:].isdigit() else ""
            self.note(Finding(key, f"expected {error.expected}, found {_bare(cell)!r}", line, column, hint))
            return None


def _is_header(cells: list[str]) -> bool:
    names = [_bare(cell) for cell in cells]
    return len(names) == 2 and names[0] in {_TIME, _TIME_S} and names[1] in _SIZE_NAMES


def _bare(cell: str) -> str:
    return cell.strip().strip('"').strip()
