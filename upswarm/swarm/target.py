"""Which server, and is there one at all? Asked once, before any user starts."""

from __future__ import annotations

from upswarm.errors import UsageError
from upswarm.scenario.model import Scenario
from upswarm.scenario.urls import EMBEDDED, check_url


def chosen(wished: str | None, scenario: Scenario) -> str:
    """The URL of the target, or `embedded`; raises `UsageError` where what is wished can't be the scenario's target."""
    url = checked(wished or scenario.target.url)
    if url != EMBEDDED and scenario.target.embedded is not None:
        raise UsageError(
            f"expected the target `{EMBEDDED}`, which the scenario's target.embedded is for, found {url}",
            hint="take target.embedded out of a copy of the scenario",
        )
    return url


def checked(wished: str) -> str:
    """A target that may be shown, for it stands on the web UI's page before a run is asked for; raises `UsageError`."""
    try:
        return check_url(wished)
    except ValueError as error:
        raise UsageError(f"target: {error}", hint=getattr(error, "hint", "")) from error


def aimed(wished: str | None, scenario: Scenario) -> Scenario:
    """The scenario with the target that is `chosen`: whoever reads the run file later finds the server by it."""
    target = scenario.target.model_copy(update={"url": chosen(wished, scenario)})
    return scenario.model_copy(update={"target": target})
