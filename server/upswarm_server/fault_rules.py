"""What `UPSWARM_FAULTS` says: a list of rules in JSON, read with every mistake that is in it.

`python -m upswarm_server.fault_rules` reads rules from standard input and prints a line for each mistake in them.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upswarm.errors import EXIT_USAGE
from upswarm.plugins import did_you_mean
from upswarm.units import RATIO_EXAMPLES, UnitError, parse_ratio
from upswarm_server.delays import Distribution, Fixed, is_number, read_delay
from upswarm_server.phases import PHASES

ANY = "any"
STATUSES = (429, 500, 502, 503, 504)
CUTS = ("request", "answer", "after_work")
ENDS = ("reset", "close")
LONGEST_S = 3600
DELAY = "delay"

COMMON = ("phase", "share")
KINDS = {"status": ("retry_after_s",), "delay_s": ("max_delay_s",), "cut": ("body_share", "by")}
"""The keys that say what happens, of which a rule has exactly one, each with those that may stand beside it."""


class FaultsError(UnitError):
    """The rules are wrong; the message has a line for each mistake."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        ValueError.__init__(self, "\n".join(mistakes))


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status before any work."""

    status: int
    retry_after_s: int | None = None

    @property
    def kind(self) -> str:
        """`status_503`."""
        return f"status_{self.status}"


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait before any work."""

    distribution: Distribution
    max_s: float

    @property
    def kind(self) -> str:
        """`delay`."""
        return DELAY

    def drawn_s(self, dice: random.Random) -> float:
        """How long this time, in seconds, and never longer than the bound."""
        return min(self.distribution.draw_s(dice), self.max_s)


@dataclass(frozen=True, slots=True)
class Cut:
    """End the connection: after `body_share` of the `request`, in half of the `answer`, or `after_work`."""

    where: str
    body_share: float = 0.5
    by: str = "reset"

    @property
    def kind(self) -> str:
        """`cut_answer`."""
        return f"cut_{self.where}"


Fault = Status | Delay | Cut


@dataclass(frozen=True, slots=True)
class Rule:
    """A share of the requests of a phase, and what happens to them."""

    phase: str
    share: float
    fault: Fault

    def concerns(self, phase: str) -> bool:
        """Whether requests of this phase may be hit."""
        return self.phase in {ANY, phase}


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a list in JSON, or of the file that holds it; raises `FaultsError`. Nothing is no rule."""
    if not text.strip():
        return ()
    mistakes: list[str] = []
    rules = [_rule(_Entry(f"rule {number}", written, mistakes)) for number, written in enumerate(_listed(text), 1)]
    if mistakes:
        raise FaultsError(mistakes)
    return tuple(rules)


def _listed(text: str) -> list[Any]:
    where = ""
    try:
        if not text.lstrip().startswith("["):
            where = f"{text}: "
            text = Path(text).read_text(encoding="utf-8")
        listed = json.loads(text, object_pairs_hook=_Object)
    except OSError as error:
        expected = "a list of rules in JSON, which begins with [, or the path of a file that holds one"
        raise FaultsError([f"expected {expected}, found {text!r}: {error.strerror or error}"]) from error
    except (ValueError, RecursionError) as error:
        raise FaultsError([f"{where}expected a list of rules in JSON, found a mistake: {error}"]) from error
    if not isinstance(listed, list):
        raise FaultsError([f"{where}expected a list of rules in JSON, found {listed!r}"])
    return listed


class _Object(dict[str, Any]):
    """An object of JSON that remembers which of its keys it had several times."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.repeated = [name for name in self if names.count(name) > 1]


class _Entry:
    """One rule as it was written; what is wrong with it is noted rather than raised, so that all mistakes are found."""

    def __init__(self, name: str, written: Any, mistakes: list[str]) -> None:
        self._name = name
        self._mistakes = mistakes
        self.is_object = isinstance(written, _Object)
        self.written = written if isinstance(written, _Object) else _Object([])
        if not self.is_object:
            self.note(f"expected an object, found {written!r}")

    def note(self, mistake: str) -> None:
        """Take note of a mistake."""
        self._mistakes.append(f"{self._name}: {mistake}")

    def take(self, key: str, read: Callable[[Any], Any], default: Any) -> Any:
        """The value of a key; the default where there is none, or a wrong one, which is noted."""
        if key not in self.written:
            return default
        try:
            return read(self.written[key])
        except UnitError as error:
            self.note(f"{key}: {error}")
            return default

    def need(self, key: str, read: Callable[[Any], Any], expected: str, default: Any) -> Any:
        """The value of a key that must be there."""
        if key not in self.written:
            self.note(f"{key}: expected {expected}, found none")
        return self.take(key, read, default)


_BROKEN = Rule(ANY, 0, Delay(Fixed(0), 0))


def _rule(entry: _Entry) -> Rule:
    if not entry.is_object:
        return _BROKEN
    phases = (*PHASES, ANY)
    phase = entry.need("phase", _one_of(phases), _choice(phases), ANY)
    share = entry.need("share", parse_ratio, RATIO_EXAMPLES, 0)
    return Rule(phase, share, _fault(entry))


def _fault(entry: _Entry) -> Fault:
    kinds = [kind for kind in KINDS if kind in entry.written]
    for mistake in _wrong_keys(entry.written, kinds):
        entry.note(mistake)
    if len(kinds) != 1:
        entry.note(f"expected exactly one of {', '.join(KINDS)}, found {' and '.join(kinds) or 'none'}")
    faults = [_MAKERS[kind](entry) for kind in kinds]
    return faults[0] if faults else _BROKEN.fault


def _wrong_keys(written: _Object, kinds: list[str]) -> Iterator[str]:
    owners = {key: kind for kind, beside in KINDS.items() for key in beside}
    known = [*COMMON, *KINDS, *owners]
    for key in written:
        if key not in known:
            nearest = did_you_mean(key, known) or f"known are {', '.join(known)}"
            yield f"{key}: expected a key that rules have, found another one ({nearest})"
        elif key in owners and kinds and owners[key] not in kinds:
            yield f"{key}: expected only beside {owners[key]}, found beside {' and '.join(kinds)}"
    yield from (f"{key}: expected once, found several times" for key in written.repeated)


def _status(entry: _Entry) -> Status:
    return Status(entry.take("status", _one_of(STATUSES), 0), entry.take("retry_after_s", _whole_seconds, None))


def _delay(entry: _Entry) -> Delay:
    max_s = entry.take("max_delay_s", _seconds, 60)
    return Delay(entry.take("delay_s", lambda value: read_delay(value, max_s), Fixed(0)), max_s)


def _cut(entry: _Entry) -> Cut:
    where = entry.take("cut", _one_of(CUTS), "request")
    if "body_share" in entry.written and where != "request":
        entry.note(f"body_share: expected only beside cut 'request', found beside cut {where!r}")
    share = entry.take("body_share", parse_ratio, 0.5)
    return Cut(where, share, entry.take("by", _one_of(ENDS), "reset"))


_MAKERS: dict[str, Callable[[_Entry], Fault]] = {"status": _status, "delay_s": _delay, "cut": _cut}


def _one_of(words: tuple[Any, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not type(words[0]) or value not in words:
            nearest = did_you_mean(value, list(map(str, words))) if isinstance(value, str) else ""
            raise UnitError(_choice(words) + (f" ({nearest})" if nearest else ""), value)
        return value

    return read


def _choice(words: tuple[Any, ...]) -> str:
    return f"one of {', '.join(map(str, words))}"


def _whole_seconds(value: Any) -> int:
    if type(value) is not int or not is_number(value, LONGEST_S):
        raise UnitError(f"whole seconds from 0 to {LONGEST_S}", value)
    return value


def _seconds(value: Any) -> float:
    if not is_number(value, LONGEST_S):
        raise UnitError(f"seconds from 0 to {LONGEST_S}", value)
    return float(value)


if __name__ == "__main__":
    try:
        read_rules(sys.stdin.read())
    except FaultsError as error:
        print(error)
        sys.exit(EXIT_USAGE)
