"""What the fields of Locust's form say: read one by one, and told apart from what the form showed by itself."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from upswarm.errors import UsageError
from upswarm.scenario.overrides import Overrides
from upswarm.swarm.options import chosen_overrides
from upswarm.swarm.wishes import Wishes
from upswarm.workload.kinds import OpenLoad, Workload

OURS = ("scenario", *(each.name for each in fields(Overrides)), "rate", "baseline")
"""The fields that are options of ours."""
_OPTION = re.compile(rf"--({'|'.join(['users', *(name.replace('_', '-') for name in OURS)])})\b")
_RUN_TIME = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s?)?", re.ASCII)  # as Locust reads it
_MOST_USERS = 1_000_000
_MOST_PER_S = 1_000_000.0
_LONGEST_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Shown:
    """What the form showed by itself, from the scenario; a field left as it was leaves the matter to the scenario."""

    users: int | None = None
    spawn_rate_per_s: float | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """How many users, how fast they come, and for how long, as the fields say; raises `UsageError` for all at once."""

    users: int
    spawn_rate_per_s: float
    run_time_s: int | None = None

    @classmethod
    def read(cls, form: Mapping[str, str], options: Any) -> Amount:
        """The amount in a form; what is not in it is as the options have it."""
        mistakes: list[str] = []
        users, spawn_rate_per_s, run_time_s = options.num_users or 1, options.spawn_rate or 1.0, None
        if form.get("user_count"):
            with _kept(mistakes):
                users = _users(form["user_count"])
        if form.get("spawn_rate"):
            with _kept(mistakes):
                spawn_rate_per_s = _spawn_rate(form["spawn_rate"])
        if form.get("run_time"):
            with _kept(mistakes):
                run_time_s = _run_time(form["run_time"])
        if mistakes:
            raise UsageError("\n".join(mistakes))
        return cls(users, float(spawn_rate_per_s), run_time_s)

    def wished(self, shown: Shown) -> tuple[int | None, float | None]:
        """Users and spawn rate where they are not as they were; the spawn rate belongs to another number of users."""
        if self.users != shown.users:
            return self.users, self.spawn_rate_per_s
        return None, None if self.spawn_rate_per_s == shown.spawn_rate_per_s else self.spawn_rate_per_s

    def is_shown_by(self, options: Any) -> bool:
        """Whether users and spawn rate are what the form shows now."""
        return (self.users, self.spawn_rate_per_s) == (options.num_users, float(options.spawn_rate or 1))


def wishes(form: Mapping[str, str], options: Any, shown: Shown, workload: Workload) -> Wishes:
    """What a form asks for of a scenario with this workload; raises `UsageError`."""
    amount, target, rate = Amount.read(form, options), form.get("host") or None, form.get("rate", "").strip()
    users, spawn_rate_per_s = amount.wished(shown)
    if (rate or isinstance(workload, OpenLoad)) and amount.is_shown_by(options):
        users = spawn_rate_per_s = None  # they are from an earlier run, and there are none to choose here
    return Wishes(
        scenario=form.get("scenario") or options.scenario,
        reports=Path(options.reports),
        target=None if target == shown.target else target,
        users=users,
        spawn_rate_per_s=spawn_rate_per_s,
        duration_s=amount.run_time_s,
        rate=rate,
        overrides=chosen_overrides(form),
        baseline=form.get("baseline", "").strip(),
    )


def in_words_of_the_form(message: str) -> str:
    """A message on one line, for the page knows no others, that names our options as the form names its fields."""
    line = "; ".join(each.strip() for each in message.splitlines()).replace("--target (--host with locust)", "Host")
    return _OPTION.sub(lambda found: found[1].replace("-", " ").title(), line)


def changed(form: Mapping[str, str], options: Any) -> list[str]:
    """Our fields that differ from what the run was started with."""
    return [name for name in OURS if name in form and form[name] != str(getattr(options, name))]


@contextmanager
def _kept(mistakes: list[str]) -> Any:
    try:
        yield
    except UsageError as error:
        mistakes.append(str(error))


def _users(text: str) -> int:
    with suppress(ValueError):
        if 1 <= (users := int(text)) <= _MOST_USERS:
            return users
    raise UsageError(f"Number of users: expected a whole number from 1 to {_MOST_USERS:,}, found {_cut(text)}")


def _spawn_rate(text: str) -> float:
    with suppress(ValueError):
        if math.isfinite(rate := float(text)) and 0 < rate <= _MOST_PER_S:
            return rate
    raise UsageError(f"Ramp up: expected a number above 0 and up to {_MOST_PER_S:,.0f}, found {_cut(text)}")


def _run_time(text: str) -> int:
    found = _RUN_TIME.fullmatch(text.strip())
    if found is not None:
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        if 0 < (run_time_s := 3600 * hours + 60 * minutes + seconds) <= _LONGEST_S:
            return run_time_s
    raise UsageError(f"Run time: expected from 1s to 30 days, such as 30, 30s, 3m or 1h20m, found {_cut(text)}")


def _cut(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"
