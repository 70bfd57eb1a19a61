"""Start in Locust's web UI: checked before Locust acts on it, so that a mistake is a sentence in the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import jsonify, request
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner, Runner
from locust.util.timespan import parse_timespan
from locust.web import WebUI

from upswarm.errors import UpswarmError, UsageError
from upswarm.scenario import library, loader
from upswarm.swarm.steering import Wishes

_ENDPOINT = "locust.swarm"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the form showed by itself, from the scenario; a field left as it was leaves the matter to the scenario."""

    users: int | None = None
    target: str | None = None


def guard_swarm(web_ui: WebUI, environment: Environment, prepare: Callable[[Wishes], None]) -> None:
    """Prepare a run before Locust's own view starts it; answer with the reason where that fails."""
    app = web_ui.app
    assert app is not None
    start = app.view_functions[_ENDPOINT]
    shown = _fill_in(environment)

    def guarded() -> Any:
        try:
            _check_idle(environment.runner)
            prepare(_wishes(request.form, environment, shown))
        except UpswarmError as error:
            return jsonify({"success": False, "message": str(error), "host": environment.host})
        return start()

    app.view_functions[_ENDPOINT] = web_ui.auth_required_if_enabled(guarded)


def _check_idle(runner: Runner | None) -> None:
    """Whether a run can begin; Locust would say yes, and never begin one again."""
    if runner is not None and runner.state not in {STATE_INIT, STATE_STOPPED}:
        raise UsageError("a run is going on", hint="stop it first, then start the next one")
    if isinstance(runner, MasterRunner) and not runner.worker_count:
        raise UsageError("no worker is ready", hint="start one; after a run they need a few seconds")


def _fill_in(environment: Environment) -> _Shown:
    """Show the scenario's own peak and target in the form, where the command line gave none."""
    options: Any = environment.parsed_options
    try:
        scenario = loader.load(library.find(options.scenario))
    except UpswarmError:
        return _Shown()  # said when Start is pressed, where it can be read
    users = target = None
    if options.num_users is None:
        options.num_users = users = scenario.build_workload().peak_users
    if environment.host is None:
        environment.host = target = scenario.target.url
    return _Shown(users, target)


def _wishes(form: Mapping[str, str], environment: Environment, shown: _Shown) -> Wishes:
    options: Any = environment.parsed_options
    try:
        users = int(form.get("user_count") or options.num_users)
        spawn_rate = float(form.get("spawn_rate") or 1)
        duration_s = parse_timespan(form["run_time"]) if form.get("run_time") else None
    except ValueError as error:
        raise UsageError(f"expected users and rate as numbers and a run time such as 30s or 1m30s: {error}") from error
    target = form.get("host") or None
    return Wishes(
        scenario=form.get("scenario") or options.scenario,
        reports=Path(options.reports),
        target=None if target == shown.target else target,
        users=None if users == shown.users else users,
        spawn_rate_per_s=None if users == shown.users else spawn_rate,
        duration_s=duration_s,
    )
