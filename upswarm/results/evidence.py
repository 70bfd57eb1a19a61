"""What thresholds are judged by: the whole run, and, where one asks for it, parts of it and a run to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from upswarm.results.measurements import Measurements
from upswarm.results.metric import Summary
from upswarm.results.recent import Recents
from upswarm.results.slices import Slice
from upswarm.results.threshold_grammar import Selector


@dataclass(frozen=True, slots=True)
class WorkerPart:
    """What one worker has measured, after the warm-up."""

    worker_id: str
    host: str
    slice: Slice

    def is_called(self, name: str) -> bool:
        """Whether a selector means it: by its id, or by its host's name."""
        return name in {self.worker_id, self.host}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run up to `end_s`, as it is judged; without a warm-up's part in `whole`, or anywhere else.

    `workers` and `recents` are kept only where a threshold asks for them.
    """

    whole: Summary
    classes: tuple[str, ...] = ()
    workers: tuple[WorkerPart, ...] = ()
    recents: Recents | None = None
    end_s: float = 0.0
    warm_up_s: float = 0.0
    baseline: Summary | None = None

    def parts(self, selector: Selector | None, window_s: float | None) -> Iterator[tuple[str, Summary]]:
        """Each part that has to hold, behind its name, which is "" for the whole."""
        if selector is None:
            yield "", self.whole if window_s is None else self._recent(window_s)
        elif selector.by == "class":
            for name in self._classes(selector):
                found = self.whole.measurements.classes.get(name, Slice())
                yield name, self._part(found) if window_s is None else self._recent(window_s, class_name=name)
        else:
            for each in self._workers(selector):
                recent = None if window_s is None else self._recent(window_s, worker_id=each.worker_id)
                yield each.worker_id, recent or self._part(each.slice)

    def in_baseline(self, selector: Selector | None, part: str) -> Summary | None:
        """What such a part is compared with: the same class, or the whole, for workers have no namesakes there."""
        if self.baseline is None or selector is None or selector.by == "worker":
            return self.baseline
        found = self.baseline.measurements.classes.get(part)
        return None if found is None else Summary(Measurements.of_slice(found), self.baseline.elapsed_s)

    def _classes(self, selector: Selector) -> Iterable[str]:
        return (self.classes or sorted(self.whole.measurements.classes)) if selector.each else (selector.name,)

    def _workers(self, selector: Selector) -> Iterable[WorkerPart]:
        return (each for each in self.workers if selector.each or each.is_called(selector.name))

    def _part(self, found: Slice) -> Summary:
        return Summary(Measurements.of_slice(found), self.whole.elapsed_s)

    def _recent(self, window_s: float, **of: str) -> Summary:
        assert self.recents is not None
        return self.recents.of(**of).last(window_s, self.end_s, not_before_s=self.warm_up_s)
