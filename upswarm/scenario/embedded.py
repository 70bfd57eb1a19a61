"""`target.embedded`: how the reference server is started that a run may bring along."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails

from upswarm.scenario.base import Mistake, Room
from upswarm.scenario.quantities import PositiveDurationS

_CHECK = ("-m", "upswarm_server.fault_rules")
"""The server's own judge of its rules: nothing of the load side imports the server."""
_RULE = re.compile(r"rule (?P<number>\d+): (?:(?P<key>\w+): )?(?P<message>.+)")
_MOST_SEED = 2**63


class EmbeddedRoom(Room):
    """How the embedded server is started. Its other settings are `UPSWARM_*` variables, as every server's are."""

    faults: tuple[dict[str, Any], ...] = Field(
        (),
        description="Requests that fail on purpose, by rules as in `UPSWARM_FAULTS` (see server.md). The scenario's "
        "seed draws which.",
    )
    workers: int | None = Field(None, ge=1, le=256, description="Its worker processes, by default 2.")
    upload_lifetime: PositiveDurationS | None = Field(
        None, description="How long an upload may stay open, by default 24h."
    )

    @model_validator(mode="after")
    def _understood(self, info: ValidationInfo) -> EmbeddedRoom:
        """The server is asked where the scenario is read; others get what was found right there."""
        if info.context is not None and self.faults:
            details = list(_mistakes(self.faults))
            if details:
                raise ValidationError.from_exception_data("EmbeddedRoom", details)
        return self

    def environ(self, seed: int) -> dict[str, str]:
        """What the server's environment has to hold."""
        settings = {"WORKERS": self.workers, "UPLOAD_LIFETIME": self.upload_lifetime and f"{self.upload_lifetime!r}s"}
        if self.faults:
            settings |= {"FAULTS": _written(self.faults), "FAULTS_SEED": seed % _MOST_SEED}
        return {f"UPSWARM_{name}": str(value) for name, value in settings.items() if value is not None}


def _written(rules: Sequence[dict[str, Any]]) -> str:
    return json.dumps(rules, default=str)


def _mistakes(rules: Sequence[dict[str, Any]]) -> Iterator[InitErrorDetails]:
    """What the server says of rules, each sentence where it belongs."""
    for line in _judged(rules):
        place, message = _placed(line, rules)
        yield InitErrorDetails(type="value_error", loc=("faults", *place), input=None, ctx={"error": Mistake(message)})


def _placed(line: str, rules: Sequence[dict[str, Any]]) -> tuple[tuple[int | str, ...], str]:
    """Where a sentence of the server's belongs, and what of it that place does not say."""
    found = _RULE.fullmatch(line)
    if found is None:
        return (), line
    index, key = int(found["number"]) - 1, found["key"]
    if key in rules[index]:
        return (index, key), found["message"]
    return (index,), found["message"] if key is None else f"{key}: {found['message']}"


def _judged(rules: Sequence[dict[str, Any]]) -> list[str]:
    done = subprocess.run([sys.executable, *_CHECK], input=_written(rules), capture_output=True, text=True, check=False)
    if done.stderr:
        return [f"can't be checked by the server: {done.stderr.splitlines()[-1]}"]
    return done.stdout.splitlines()
