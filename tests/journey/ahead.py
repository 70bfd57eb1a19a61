"""Runs that tests look at one after the other: each begins when it is asked for, and the next ones beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Ahead(Generic[Result]):
    """Never all at once: where processes share the tests of a file, each makes only the runs that it is asked for."""

    def __init__(self, pool: ThreadPoolExecutor, runs: Mapping[str, Callable[[], Result]], at_a_time: int) -> None:
        self._pool = pool
        self._runs = runs
        self._at_a_time = at_a_time
        self._begun: dict[str, Future[Result]] = {}

    def of(self, name: str) -> Result:
        """What came of this one. As many others follow it as have room, for most of a run is waiting."""
        names = list(self._runs)
        for each in names[(at := names.index(name)) : at + self._at_a_time + 1]:
            if each not in self._begun:
                self._begun[each] = self._pool.submit(self._runs[each])
        return self._begun[name].result()


@contextmanager
def ahead(runs: Mapping[str, Callable[[], Result]], at_a_time: int) -> Iterator[Ahead[Result]]:
    """These runs, in the order in which they will be asked for; those that nobody has waited for are not begun."""
    with ThreadPoolExecutor(at_a_time) as pool:
        yield Ahead(pool, runs, at_a_time)
        pool.shutdown(cancel_futures=True)
