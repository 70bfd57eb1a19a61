"""Client processes that go through the phases of their work in step: each phase has a time and a cost of its own."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from benchmarks.client import PATIENCE_S, UnsuccessfulError
from benchmarks.leash import end_with_parent

_FORK = multiprocessing.get_context("fork")  # the buffer that is sent is inherited, so all send the same one
_CRASHES = (UnsuccessfulError, OSError, ValueError, KeyError, threading.BrokenBarrierError)

Steps = Mapping[str, Callable[[], Sequence[float]]]
"""The phases of one client, in their order; each returns when its successes happened (`clock`), or nothing."""

clock = time.monotonic
"""The same in all processes."""


class Span(NamedTuple):
    """One client's part of one phase."""

    began_s: float
    ended_s: float
    done_s: Sequence[float]
    cpu_s: float


Round = list[dict[str, Span]]
"""For each client its spans by phase."""


class Crowd:
    """One process per client. A phase begins for all at once, and the next one when all have ended it."""

    def __init__(self, members: Sequence[Callable[[], Steps]], phases: Sequence[str]) -> None:
        self._phases = phases
        self._gate = _FORK.Barrier(len(members) + 1)
        self._stopping = _FORK.Value("b", 0)
        self._pipes: list[Any] = []
        self._processes: list[Any] = []
        for member in members:
            ours, theirs = _FORK.Pipe(duplex=False)
            work = (member, phases, self._gate, self._stopping, theirs)
            self._processes.append(_FORK.Process(target=_member, args=work, daemon=True))
            self._processes[-1].start()
            theirs.close()
            self._pipes.append(ours)

    def rounds(self, more: Callable[[], bool], boundary: Callable[[str], None]) -> list[Round]:
        """Go round while `more()`; `boundary(phase)` is called right before and right after each phase.

        Raises `UnsuccessfulError` with the first client's reason when one of them fails.
        """
        try:
            self._pass_gates(more, boundary)
        except threading.BrokenBarrierError:
            self._raise_reason()
        of_members = [pipe.recv() for pipe in self._pipes]
        return [list(spans) for spans in zip(*of_members, strict=True)]

    def _pass_gates(self, more: Callable[[], bool], boundary: Callable[[str], None]) -> None:
        while not self._stopping.value:
            for phase in self._phases:
                boundary(phase)
                self._gate.wait(PATIENCE_S)
                self._gate.wait(PATIENCE_S)
                boundary(phase)
            self._stopping.value = not more()
            self._gate.wait(PATIENCE_S)

    def _raise_reason(self) -> None:
        found = [pipe.recv() for pipe in self._pipes if pipe.poll(1)]
        reasons = [reason for reason in found if isinstance(reason, str) and reason]
        raise UnsuccessfulError(reasons[0] if reasons else f"a client was not done after {PATIENCE_S} s")

    def close(self) -> None:
        """Leave no process behind."""
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            process.join(1)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
            pipe.close()


@contextmanager
def crowd(members: Sequence[Callable[[], Steps]], phases: Sequence[str]) -> Iterator[Crowd]:
    """Clients that are gone afterwards; each member is called in its own process and gives its steps."""
    made = Crowd(members, phases)
    try:
        yield made
    finally:
        made.close()


def _member(member: Callable[[], Steps], phases: Sequence[str], gate: Any, stopping: Any, pipe: Any) -> None:
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the harness's own handler was inherited
    try:
        steps = member()
        spans = []
        while not stopping.value:
            spans.append({phase: _span(steps[phase], gate) for phase in phases})
            gate.wait(PATIENCE_S)
        pipe.send(spans)
    except _CRASHES as error:
        gate.abort()
        pipe.send("" if isinstance(error, threading.BrokenBarrierError) else f"{type(error).__name__}: {error}")


def _span(step: Callable[[], Sequence[float]], gate: Any) -> Span:
    gate.wait(PATIENCE_S)
    cpu_s, began_s = _cpu_s(), clock()
    done_s = step()
    span = Span(began_s, clock(), done_s, _cpu_s() - cpu_s)
    gate.wait(PATIENCE_S)
    return span


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
