"""What files cost the one who sends them: memory, by how many are open and how long they are, and CPU time per GiB.

Each row is a process of its own. It opens so many files, sends a piece out of the middle of each, in turns view by
view, so that all are under way at once, over the loopback to a process that drops everything, and notes the most memory
that it had while it did.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks import options
from benchmarks.table import table
from upswarm import plugins
from upswarm.content.base import Content, File
from upswarm.units import format_size, write_size

MiB, GiB = 1 << 20, 1 << 30
_SAMPLES, _SAMPLE_BYTES = 4, 64 * MiB
_NOTED_EVERY = 256


class Found(NamedTuple):
    """One row. Memory is the largest resident set; `private` is its part that is not the page cache's."""

    content: str
    files: int
    size_bytes: int
    resident_bytes: int
    private_bytes: int
    made_cpu_s_per_gib: float
    sent_cpu_s_per_gib: float


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """All rows, one after the other; what is not flat is a failure."""
    rows: list[Found] = []
    with tempfile.TemporaryDirectory(dir=asked.dir) as scratch, sink() as port:
        if any(name.startswith("corpus") for name in asked.contents):
            corpora(Path(scratch))
        for name in asked.contents:
            for files in asked.files:
                for size_bytes in asked.sizes:
                    rows.append(in_a_process(measure, (name, files, size_bytes), Path(scratch), asked.send, port))
                    print(f"{name}: {files} files of {write_size(size_bytes)}", file=sys.stderr)
    failures = not_flat(rows, asked.most)
    print("\n".join([report(rows), *failures]))
    return {"content_memory": [row._asdict() for row in rows], "failures": failures}


def measure(row: tuple[str, int, int], scratch: Path, send_bytes: int, port: int) -> Found:
    """One row, in this process."""
    name, files, size_bytes = row
    content = made(name, scratch)
    per_file = min(size_bytes, max(MiB, send_bytes // files))
    memory = _Memory()
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(content.open(str(n), size_bytes, n))) for n in range(files)]
        for file in opened[:1]:  # pools are made once, and not in these figures
            list(file.views(0, MiB))
        made_cpu_s = timed(lambda: in_turns(opened, per_file, len, memory))
        sending = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        sent_cpu_s = timed(lambda: in_turns(opened, per_file, sending.sendall, memory))
    gibs = files * per_file / GiB
    return Found(*row, memory.resident, memory.private, made_cpu_s / gibs, sent_cpu_s / gibs)


def made(name: str, scratch: Path) -> Content:
    """The content of a row."""
    path = scratch / ("holes" if name == "corpus-holes" else "samples")
    parameters: dict[str, dict[str, Any]] = {
        "compressible": {"ratio": 3},
        "dedup": {"ratio": 4, "block_bytes": 64 << 10},
        "corpus": {"path": path},
        "corpus-holes": {"path": path},
    }
    content: Content = plugins.find("content", name.partition("-")[0])(scratch, **parameters.get(name, {}))
    return content


def in_turns(files: list[File], length: int, take: Callable[[memoryview], object], memory: _Memory) -> None:
    """One view of each file, then the next of each, as many uploads do it that are under way at once."""
    under_way = [file.views((file.size_bytes - length) // 2, length) for file in files]
    while under_way:
        going_on = []
        for views in under_way:
            view = next(views, None)
            if view is not None:
                take(view)
                going_on.append(views)
            memory.note()
        under_way = going_on
    memory.look()


class _Memory:
    """The most that was seen."""

    def __init__(self) -> None:
        self.resident = self.private = 0
        self._turn = itertools.count()
        self._process = psutil.Process()

    def note(self) -> None:
        if next(self._turn) % _NOTED_EVERY == 0:  # looking costs more than a view does
            self.look()

    def look(self) -> None:
        info = self._process.memory_info()
        self.resident = max(self.resident, info.rss)
        self.private = max(self.private, info.rss - info.shared)


def timed(work: Callable[[], None]) -> float:
    """CPU seconds of this process, user and system."""
    before = time.process_time()
    work()
    return time.process_time() - before


def corpora(scratch: Path) -> None:
    """Samples full of data, and one of 10 GiB that is nearly all holes."""
    for name in ("samples", "holes"):
        (scratch / name).mkdir()
    for number in range(_SAMPLES):
        (scratch / "samples" / str(number)).write_bytes(os.urandom(_SAMPLE_BYTES))
    with (scratch / "holes" / "disk.img").open("wb") as file:
        for offset in range(0, 10 * GiB, GiB):
            file.seek(offset)
            file.write(os.urandom(MiB))
        file.truncate(10 * GiB)


def in_a_process(work: Callable[..., Found], *arguments: Any) -> Found:
    """What the function returns in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


@contextmanager
def sink() -> Iterator[int]:
    """The port of a process that drops whatever it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = multiprocessing.get_context("fork").Process(target=_drop, args=(server,), daemon=True)
        process.start()
        try:
            yield server.getsockname()[1]
        finally:
            process.terminate()
            process.join()


def _drop(server: socket.socket) -> None:
    buffer = bytearray(MiB)
    while True:
        connection, _ = server.accept()
        with connection:
            while connection.recv_into(buffer):
                pass


def not_flat(rows: list[Found], most_bytes: int) -> list[str]:
    """The contents that take more than so much more for the most and longest files than for the fewest and shortest."""
    failures = []
    for name in dict.fromkeys(row.content for row in rows):
        private = [row.private_bytes for row in rows if row.content == name]
        if max(private) - private[0] > most_bytes:
            failures.append(f"{name} takes {format_size(max(private) - private[0])} more than for its first row")
    return failures


def report(rows: list[Found]) -> str:
    """The table."""
    headings = ("content", "files", "each", "resident MiB", "private MiB", "made CPU s/GiB", "sent CPU s/GiB")
    cells = [
        [
            row.content,
            f"{row.files:,}",
            write_size(row.size_bytes),
            f"{row.resident_bytes / MiB:.1f}",
            f"{row.private_bytes / MiB:.1f}",
            f"{row.made_cpu_s_per_gib:.3f}",
            f"{row.sent_cpu_s_per_gib:.3f}",
        ]
        for row in rows
    ]
    return table(headings, cells)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    contents = ["random", "sparse", "compressible", "dedup", "corpus", "corpus-holes"]
    made.add_argument("--contents", type=options.words, default=contents, help="which: random,dedup")
    made.add_argument("--files", type=options.numbers, default=[10, 1000], help="how many are open at a time: 10,1000")
    made.add_argument("--sizes", type=options.sizes, default=[MiB, 10 * GiB], help="how long they are: 1MiB,10GiB")
    made.add_argument(
        "--send", type=options.size, default=2 * GiB, help="bytes of all files together; at least 1MiB each"
    )
    made.add_argument("--most", type=options.size, default=16 * MiB, help="how much more private memory is still flat")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
