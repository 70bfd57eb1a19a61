"""Run files that are written while a run goes on, so that a SIGKILL or a power cut leaves more than nothing.

Whoever is killed outright can't write any more; what stands in the folder then is the last checkpoint. It says that the
run did not come to its end, and its exit code is 5.

Encoding the histograms of an hour takes a second, and this may be the process that measures. So each is encoded by
itself, and others run in between, and those that do not change any more only once; the rest, 30 ms for an hour of run,
is done in one go, for it has to be of one moment. Whatever both take, it is done so rarely that it hardly counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from upswarm.results.run_file import Run
from upswarm.swarm.uploading.lanes import let_others_run

EVERY_S = 30.0
VARIABLE = "UPSWARM_CHECKPOINT_S"
_SHARE = 20
_SHARE_IN_ONE_GO = 500
"""So much longer it takes until the next one than the last has taken."""


class Checkpoints:
    """Of one run, which `judged` tells of as it stands."""

    def __init__(self, folder: Path, judged: Callable[[], Run]) -> None:
        self._folder = folder
        self._judged = judged
        self._every_s = _wished_s()
        self._due_s = self._every_s

    def look(self, elapsed_s: float) -> None:
        """Write one where one is due, so many seconds after the start of the run. A disk that fails is no trouble yet.

        If it still does so at the end of the run, the run will say so.
        """
        if elapsed_s < self._due_s:
            return
        begun_s = time.perf_counter()
        self._judged().encode(let_others_run)
        encoded_s = time.perf_counter()
        with suppress(OSError):
            _going_on(self._judged()).save(self._folder)
        ended_s = time.perf_counter()
        rest_s = max(_SHARE * (ended_s - begun_s), _SHARE_IN_ONE_GO * (ended_s - encoded_s))
        self._due_s = elapsed_s + max(self._every_s, rest_s)

    def keep(self, run: Run) -> None:
        """Write down a run that has been measured to its end: an audit is still to come, and may take minutes."""
        fault = f"the run was killed while it was audited; all of its {run.elapsed_s:.1f} s had been measured"
        with suppress(OSError):
            _unended(run, fault).save(self._folder)


def _going_on(run: Run) -> Run:
    """Nobody is lost for not having sent a last report."""
    workers = tuple(replace(each, lost=each.left_s is not None) for each in run.workers)
    fault = f"the run did not come to its end: this is what had been measured after {run.elapsed_s:.1f} s"
    return _unended(replace(run, workers=workers), fault)


def _unended(run: Run, fault: str) -> Run:
    return replace(run, complete=False, generator_faults=(fault, *run.generator_faults))


def _wished_s() -> float:
    with suppress(ValueError):
        return max(0.1, float(os.environ.get(VARIABLE, EVERY_S)))
    return EVERY_S
