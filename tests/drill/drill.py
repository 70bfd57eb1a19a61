"""The crash drill: clients upload, the server is killed again and again, and nothing that was acknowledged is lost.

The seed decides contents, sizes, orders, kinds and pauses. Which request a kill meets is up to the machine's
scheduling, so the same seed is the same drill, but not the same crash to the instruction.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.drill.clients import Client
from tests.drill.killer import Killer
from tests.drill.ledger import Ledger
from tests.drill.links import Address
from tests.drill.verify import verify

_PROGRESS_S = 10.0


@dataclass
class Outcome:
    """What a drill did and found; `losses` names every broken promise."""

    seed: int
    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Everything, in lines."""
        rows = [
            ("kills", f"{self.kills.total()} ({', '.join(f'{k} {n}' for k, n in sorted(self.kills.items()))})"),
            ("uploads begun", f"{self.counts['begun']} (and {self.counts['init_unanswered']} inits without an answer)"),
            ("chunks acknowledged", self.counts["chunk"]),
            ("finalizes acknowledged", f"{self.counts['finalized']} of {self.counts['finalize_sent']} sent"),
            ("aborts, deletes", f"{self.counts['abort']}, {self.counts['delete']}"),
            ("checked on the way", f"{self.counts['checked_on_the_way']} files, {self.counts['resumed']} resumed"),
            ("checked at the end", f"{self.checked['files']} files, {self.checked['bytes']} B"),
            ("resumed at the end", self.checked["resumed"]),
            ("stayed gone", self.checked["gone"]),
            ("lost", len(self.losses)),
        ]
        return "\n".join([f"drill of {self.seconds:.0f} s with seed {self.seed}", *(f"  {a:<24}{b}" for a, b in rows)])


def by_seconds(seconds: float) -> Callable[[Killer], bool]:
    """The drill is over after this time."""
    until = time.monotonic() + seconds
    return lambda killer: time.monotonic() >= until


def by_kills(kills: int) -> Callable[[Killer], bool]:
    """The drill is over after this many kills."""
    return lambda killer: killer.kills.total() >= kills


class Drill:
    """One drill in a directory, which keeps the ledger and what the server said on stderr."""

    def __init__(self, directory: Path, seed: int, clients: int = 5, tell: Callable[[str], None] | None = None) -> None:
        self._seed = seed
        self._clients = clients
        self._tell = tell
        self._ledger = Ledger(directory / "ledger.jsonl")
        self._address = Address()
        self._killer = Killer(directory, seed, self._address, self._ledger)
        self._began = time.monotonic()

    def run(self, is_over: Callable[[Killer], bool]) -> Outcome:
        """Kill the server under its clients until it is over, then restart it in order and verify."""
        killer, ledger = self._killer, self._ledger
        try:
            killer.start()
            self._kill_under_clients(lambda: is_over(killer))
            killer.restart_in_order()
            checked = verify(ledger, self._address, killer.data_dir)
            self._check_words()
            return Outcome(self._seed, self._elapsed_s(), killer.kills, ledger.counts, checked, ledger.losses)
        finally:
            killer.close()
            ledger.close()

    def _kill_under_clients(self, is_over: Callable[[], bool]) -> None:
        over = threading.Event()
        clients = [Client(self._seed, number, self._address, self._ledger) for number in range(self._clients)]
        with ThreadPoolExecutor(len(clients) + 1) as threads:
            running = [threads.submit(client.run, over.is_set) for client in clients]
            running.append(threads.submit(self._tell_progress, over))
            try:
                self._killer.run(is_over)
            finally:
                over.set()
        for each in running:
            each.result()

    def _tell_progress(self, over: threading.Event) -> None:
        while self._tell is not None and not over.wait(_PROGRESS_S):
            counts = self._ledger.counts
            self._tell(
                f"{self._elapsed_s():5.0f} s: {self._killer.kills.total()} kills, {counts['begun']} uploads, "
                f"{counts['chunk']} chunks, {counts['finalized']} files, {len(self._ledger.losses)} lost"
            )

    def _check_words(self) -> None:
        if "Traceback" in self._killer.server.errors:
            self._ledger.lose("the server's stderr has a traceback")

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began
