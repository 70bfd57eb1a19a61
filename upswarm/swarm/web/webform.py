"""Start and Edit in Locust's web UI: checked before Locust acts on them, so that a mistake is a sentence there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import jsonify, request
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner
from locust.web import WebUI

from upswarm.errors import UpswarmError, UsageError
from upswarm.scenario import library, loader
from upswarm.swarm.steering import Steering
from upswarm.swarm.web.formfields import OURS, Amount, Shown, changed, in_words_of_the_form, wishes
from upswarm.workload.kinds import ClosedLoad, Workload

_ENDPOINT = "locust.swarm"
_COMMON = ("user_count", "spawn_rate", "run_time")
_DEFAULT_SHAPE = "Default"
_USUAL_USERS = 1
_USUAL_SPAWN_RATE_PER_S = 1.0
_logger = logging.getLogger(__name__)


def guard_swarm(web_ui: WebUI, environment: Environment, steering: Steering) -> None:
    """Prepare a run before Locust's own view starts it; answer with the reason where that fails."""
    app = web_ui.app
    assert app is not None
    guard = _Guard(web_ui, environment, steering, app.view_functions[_ENDPOINT])
    app.view_functions[_ENDPOINT] = web_ui.auth_required_if_enabled(guard.answer)
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}  # fields stand in the order of our options
    guard.show_what_is_set()


class _Guard:
    """Stands before Locust's view `start`."""

    def __init__(self, web_ui: WebUI, environment: Environment, steering: Steering, start: Callable[[], Any]) -> None:
        self._web_ui = web_ui
        self._environment = environment
        self._options: Any = environment.parsed_options
        self._steering = steering
        self._start = start
        self._shape = environment.shape_class
        self._shown = _fill_in(environment)
        self._host = environment.host  # as the form has it; during a run the environment's is the real target, or none
        self._starting = False
        self._running_users = 0

    def show_what_is_set(self) -> None:
        """Let a page that is loaded anew show what was chosen last, and not what the command line said long ago."""
        web_ui, update = self._web_ui, cast("Callable[[], None]", self._web_ui.update_template_args)

        def update_and_set() -> None:
            update()
            web_ui.template_args |= {"host": self._host or "", "user_count": 0}  # or the form would show those of now
            for name in OURS:
                field, value = web_ui.template_args["extra_options"][name], getattr(self._options, name)
                field["default_value"] = value
                if field["choices"] is not None and value not in list(field["choices"]):
                    field["choices"] = [*field["choices"], value]

        web_ui.update_template_args = update_and_set  # type: ignore[method-assign]

    def answer(self) -> Any:
        """What the page gets: whatever is wrong, a sentence."""
        try:
            return self._edit_run() if self._is_going_on() else self._start_run()
        except UpswarmError as error:
            message = in_words_of_the_form(str(error))
        except Exception as error:  # a plugin's, say; the page would show no more than a number
            _logger.exception("the form could not be acted on")
            message = f"this failed: {type(error).__name__}: {error}"
        return jsonify({"success": False, "message": message, "host": self._host})

    def _is_going_on(self) -> bool:
        """From the moment on that somebody pressed Start; Locust itself would say yes, and never begin one again."""
        runner = self._environment.runner
        assert runner is not None
        return self._starting or bool(runner.shape_greenlet) or runner.state not in {STATE_INIT, STATE_STOPPED}

    def _start_run(self) -> Any:
        runner = self._environment.runner
        if isinstance(runner, MasterRunner) and not runner.worker_count:
            raise UsageError("no worker is ready", hint="start one; after a run they need a few seconds")
        self._starting = True
        try:
            self._pick_classes()
            form = self._fields()
            self._steering.prepare(wishes(form, self._options, self._shown, _workload(form, self._options)))
            self._running_users = self._steering.plan.workload.peak_users
            return self._let_locust(form)
        except BaseException:
            self._steering.premises.discard()
            raise
        finally:
            self._starting = False

    def _pick_classes(self) -> None:
        """What Locust's class picker sends. Its default shape is that of the locustfile, and not none."""
        environment, form = self._environment, request.form
        if not self._web_ui.userclass_picker_is_active:
            return
        for name, known in (
            ("user_classes", environment.available_user_classes or {}),
            ("shape_class", {_DEFAULT_SHAPE: None, **(environment.available_shape_classes or {})}),
        ):
            for each in form.getlist(name):
                if each not in known:
                    raise UsageError(f"{name}: expected some of {', '.join(known)}, found {each!r}")
        picked = form.get("shape_class", _DEFAULT_SHAPE)
        shapes = environment.available_shape_classes or {}
        environment.shape_class = self._shape if picked == _DEFAULT_SHAPE else shapes[picked]
        classes: Any = environment.available_user_classes or {}
        environment.user_classes = [classes[each] for each in form.getlist("user_classes") or classes]

    def _fields(self) -> dict[str, str]:
        """The form; where a shape wants to know nothing, Locust shows no users, and sends zeros."""
        shape = self._environment.shape_class
        asked = shape is None or shape.use_common_options
        return {name: value for name, value in request.form.items() if asked or name not in _COMMON}

    def _let_locust(self, form: Mapping[str, str]) -> Any:
        """Locust's view takes the form as we have read it; it would set any option that a field is named after."""
        amount, shape = Amount.read(form, self._options), self._environment.shape_class
        self._options.run_time = None  # Locust keeps the last one where the field is empty
        self._host = form.get("host", self._host)
        taken = {"host", "profile", "user_classes", *self._web_ui.template_args["extra_options"]}
        request.form = type(request.form)(
            [
                *((name, value) for name, value in request.form.items(multi=True) if name in taken),
                ("user_count", str(amount.users)),
                ("spawn_rate", str(amount.spawn_rate_per_s)),
                ("run_time", str(amount.run_time_s or "")),
                ("shape_class", _DEFAULT_SHAPE if shape is None else type(shape).__name__),
            ]
        )
        return self._start()

    def _edit_run(self) -> Any:
        """Another number of users from now on; a refusal is logged too, for Locust's page closes the form on it."""
        if {"host", "run_time"} & request.form.keys():  # Locust's form for an edit has neither
            raise UsageError("a run is going on", hint="stop it first, then start the next one")
        try:
            self._check_edit()
            amount = Amount.read(request.form, self._options)
            if self._environment.shape_class is None:  # then users come and go as Locust says
                self._steering.note(f"somebody asked for {amount.users} users")
                return self._let_locust(request.form)
            message = self._edit(amount)
        except UpswarmError as error:
            _logger.warning("the running test was not edited: %s", in_words_of_the_form(str(error)))
            raise
        return jsonify({"success": True, "message": message, "host": self._host})

    def _check_edit(self) -> None:
        if not self._steering.running:
            raise UsageError("the run has not begun yet, or is ending", hint="try again in a moment")
        if others := changed(request.form, self._options):
            found = " and another ".join(f"--{name.replace('_', '-')}" for name in others)
            raise UsageError(f"expected another number of users or ramp up only, for a run is going on, "
                             f"found another {found}", hint="stop it first, then start the next one")  # fmt: skip

    def _edit(self, amount: Amount) -> str:
        options = self._options
        if amount.is_shown_by(options):
            return "nothing was changed"
        closed = isinstance(self._steering.plan.workload, ClosedLoad)
        if closed and amount.users == options.num_users != self._running_users:  # the page shows what it has sent
            raise UsageError(f"expected another number of users than the {amount.users} that the form began with, "
                             f"for this run has {self._running_users}, and Ramp up alone changes nothing")  # fmt: skip
        self._steering.edit_users(amount.users, amount.spawn_rate_per_s)
        options.num_users, options.spawn_rate = amount.users, amount.spawn_rate_per_s
        self._running_users = amount.users
        return f"from now on {amount.users} users"


def _workload(form: Mapping[str, str], options: Any) -> Workload:
    return loader.load(library.find(form.get("scenario") or options.scenario)).build_workload()


def _fill_in(environment: Environment) -> Shown:
    """Show the scenario's own peak and target in the form, where the command line gave none."""
    options: Any = environment.parsed_options
    users, target = _USUAL_USERS, None
    try:
        scenario = loader.load(library.find(options.scenario))
        users, target = scenario.build_workload().peak_users, scenario.target.url
    except UpswarmError:
        pass  # said when Start is pressed, where it can be read
    shown = Shown(
        users=users if options.num_users is None else None,
        spawn_rate_per_s=_USUAL_SPAWN_RATE_PER_S if options.spawn_rate is None else None,
        target=target if environment.host is None else None,
    )
    options.num_users = options.num_users or users
    environment.host = environment.host or target
    return shown
