"""`thresholds:`, `warm_up:` and `baseline:`: what a run has to keep, from when on, and compared with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, WrapValidator, model_validator

from upswarm import units
from upswarm.errors import UsageError
from upswarm.plugins import did_you_mean
from upswarm.results.run_file import RUN_FILE
from upswarm.results.thresholds import Threshold
from upswarm.scenario.base import Mistake, Room
from upswarm.scenario.quantities import DurationS, written
from upswarm.workload.kinds import Workload


def _threshold(text: str) -> str:
    return Threshold.parse(text).text


class ThresholdRoom(Room):
    """A threshold of which there is more to say than its one line."""

    expect: Annotated[str, AfterValidator(_threshold)] = Field(description="The threshold itself.")
    abort: bool = Field(False, description="Whether the run ends early where it does not hold; no data yet ends none.")
    after: DurationS = written(
        "0s", description="From when on it may end the run, counted from the end of the warm-up."
    )

    @model_validator(mode="after")
    def _abortive(self) -> ThresholdRoom:
        if "after" in self.model_fields_set and self.after and not self.abort:
            raise ValueError("expected abort: true beside after, for the other thresholds are judged at the end")
        return self


def _line_or_room(value: Any, _: Any) -> Any:
    """A text alone, or a mapping; said by ourselves, for pydantic would complain of both."""
    if isinstance(value, dict | ThresholdRoom):
        return ThresholdRoom.model_validate(value)
    if not isinstance(value, str):
        raise Mistake(f"expected a threshold, or {{expect: THRESHOLD, abort: true}}, found {value!r}")
    return _threshold(value)


ThresholdEntry = Annotated[str | ThresholdRoom, WrapValidator(_line_or_room)]


def _run_found(path: str, info: ValidationInfo) -> str:
    """The path as every command can find it; whether there is a run, is looked up where the scenario is read."""
    if info.context is None:
        return path
    full = Path(info.context["folder"], Path(path).expanduser()).absolute()
    if not (full / RUN_FILE if full.is_dir() else full).is_file():
        raise Mistake(f"expected a run file, or the folder of one, found none at {full}")
    return str(full)


RunPath = Annotated[str, AfterValidator(_run_found)]


def line(entry: str | ThresholdRoom) -> str:
    """The threshold of an entry, as one line."""
    return entry if isinstance(entry, str) else entry.expect


@dataclass(frozen=True, slots=True)
class Abort:
    """A threshold that ends a run early where it does not hold, from `after_s` after the warm-up on."""

    threshold: Threshold
    after_s: float

    @classmethod
    def all_of(cls, entries: Sequence[str | ThresholdRoom]) -> Iterator[Abort]:
        """Those among the thresholds."""
        for entry in entries:
            if isinstance(entry, ThresholdRoom) and entry.abort:
                yield cls(Threshold.parse(entry.expect), entry.after)


def class_mistakes(entries: Sequence[str | ThresholdRoom], names: Sequence[str]) -> Iterator[tuple[int, Mistake]]:
    """The thresholds, by their place, that select a class of files which the scenario does not have."""
    known = [name for name in names if name]
    for place, entry in enumerate(entries):
        selector = Threshold.parse(line(entry)).selector
        if selector is None or selector.by != "class" or (known and (selector.each or selector.name in known)):
            continue
        if not known:
            yield place, Mistake(f"expected no {selector}, for the one class of files has no name", "give it a name")
        else:
            expected = f"expected one of {', '.join(known)} or each as the class"
            yield place, Mistake(f"{expected}, found {selector.name!r}", did_you_mean(selector.name, known))


def warm_up_mistake(warm_up_s: float, workload: Workload) -> str:
    """What is wrong with a warm-up that leaves nothing of the run; "" where that is not so, or can't be known."""
    planned_s = workload.planned_s
    if planned_s is None or warm_up_s < planned_s or not warm_up_s:
        return ""
    planned = units.format_duration(planned_s)
    return f"expected a warm-up shorter than the run of {planned}, found {units.format_duration(warm_up_s)}"


def check_warm_up(warm_up_s: float, workload: Workload) -> None:
    """Raises `UsageError` where a workload, as it is wished, would be over before its warm-up is."""
    mistake = warm_up_mistake(warm_up_s, workload)
    if mistake:
        raise UsageError(f"warm_up: {mistake}", hint="let the run last longer, or shorten warm_up in the scenario")
