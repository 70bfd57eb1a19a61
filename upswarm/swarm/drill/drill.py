"""A drill beside the load of one run: each act when it is time, and a mark of it in the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

import gevent

from upswarm.errors import UpswarmError
from upswarm.results.marks import MarkKind
from upswarm.swarm.drill.acts import Breaker, told
from upswarm.swarm.drill.site import Site
from upswarm.workload.drill import Act, ActKind


class Diary(Protocol):
    """What a drill needs of the run: its time, and where to write down what happened."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run was started."""

    def note(self, sentence: str) -> None:
        """Something that people should know of the run, and that is no fault."""

    def mark(self, kind: MarkKind, sentence: str, until_s: float | None = None, *, at_s: float | None = None) -> None:
        """Something happened, now or at another time."""


class Drill:
    """Begins when made. An act that is due while another one still lasts is done right after it."""

    def __init__(self, acts: Iterable[Act], site: Site, diary: Diary, say: Callable[[str], None]) -> None:
        self._acts = tuple(acts)
        self._network = site.network
        self._breaker = Breaker(site)
        self._diary = diary
        self._say = say
        self._under_way: Act | None = None
        self._began_s = 0.0
        self._done = 0
        self._faults: list[str] = []
        if self._network is not None:
            diary.note(str(self._network))
        self._greenlet = gevent.spawn(self._run)

    def end(self) -> list[str]:
        """No more acts; whatever is broken is mended, and works. Returns what could not be done, in sentences."""
        self._greenlet.kill()
        undone = self._acts[self._done :]
        if undone:
            self._faults.append(f"the run ended before {' and '.join(act.kind for act in undone)} had been done")
        if self._under_way is not None:  # the run was cut off in the middle of it
            self._diary.mark(MarkKind.FAULT, self._told(self._under_way), at_s=self._began_s)
            self._under_way = None
            self._try("mend what was broken", self._breaker.mend)
        return self._faults

    def _run(self) -> None:
        for act in self._acts:
            gevent.sleep(max(0.0, act.at_s - self._diary.elapsed_s))
            self._under_way, self._began_s = act, self._diary.elapsed_s
            self._say(self._told(act))
            if self._try(f"do {act.kind} after {self._began_s:.1f} s", partial(self._breaker.do, act)):
                until_s = None if act.kind is ActKind.KILL_WORKER else self._diary.elapsed_s
                self._diary.mark(MarkKind.FAULT, self._told(act), until_s, at_s=self._began_s)
            else:
                self._try("mend what was broken", self._breaker.mend)
            self._under_way = None
            self._done += 1

    def _told(self, act: Act) -> str:
        return told(act, self._network)

    def _try(self, what: str, attempt: Callable[[], None]) -> bool:
        """Whether it could be done; if not, that is a fault of the drill's, and so the run counts for nothing."""
        try:
            attempt()
        except (UpswarmError, OSError, AssertionError) as error:
            self._faults.append(f"the drill could not {what}: {error}")
            return False
        return True
