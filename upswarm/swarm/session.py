"""Where Locust's events meet ours: each process has one session, of the kind that its runner asks for."""

from __future__ import annotations

import logging
import sys
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from locust import events, stats
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from upswarm.errors import UpswarmError
from upswarm.swarm.forks import end_forks
from upswarm.swarm.local_session import LocalSession
from upswarm.swarm.options import add_options, count_usable_cpus
from upswarm.swarm.outlet import outlast_readers
from upswarm.swarm.outputs import LastingCSVWriter
from upswarm.swarm.precision import bucket_ms
from upswarm.swarm.run_session import RunSession
from upswarm.swarm.steering import Steering
from upswarm.swarm.telemetry.telemetry import Telemetry
from upswarm.swarm.telemetry.wishes import complaints
from upswarm.swarm.uploading.load import Load
from upswarm.swarm.web.endings import hide_endings
from upswarm.swarm.web.looking import look
from upswarm.swarm.web.pages import add_pages
from upswarm.swarm.web.tabs import add_tabs
from upswarm.swarm.workers.master_session import MasterSession
from upswarm.swarm.workers.reception import undeterred
from upswarm.swarm.workers.seal import Seal
from upswarm.swarm.workers.worker_session import WorkerSession

_sessions: WeakKeyDictionary[Environment, RunSession | WorkerSession] = WeakKeyDictionary()


@cache
def connect() -> None:
    """Listen to Locust's events. A locustfile calls this when it is imported; where several are, once is enough.

    That is before Locust forks, so what is wrong for all processes is said once, and there is an end of it.
    """
    outlast_readers()
    try:
        Seal.of_environment()
    except UpswarmError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    for complaint in complaints():
        print(f"warning: {complaint}", file=sys.stderr)
    logging.getLogger("locust.runners").addFilter(_is_of_use)
    stats.bucket_response_time = bucket_ms  # type: ignore[assignment]  # its keys need not be whole numbers
    MasterRunner.client_listener = undeterred(MasterRunner.client_listener)  # type: ignore[assignment, method-assign]
    events.init_command_line_parser.add_listener(add_options)
    events.init_command_line_parser.add_listener(count_usable_cpus)
    events.init.add_listener(_begin)
    let_go = end_forks()
    events.init.add_listener(lambda **_: let_go())
    stats.StatsCSVFileWriter = LastingCSVWriter  # type: ignore[misc]


def load_of(environment: Environment) -> Load:
    """This process's part of the run that is going on, for its users."""
    session = _sessions[environment]
    assert isinstance(session, LocalSession | WorkerSession)
    return session.load()


def steering_of(environment: Environment) -> Steering:
    """What decides about the run, for the shape."""
    session = _sessions[environment]
    assert isinstance(session, RunSession)
    return session.steering


def _is_of_use(record: logging.LogRecord) -> bool:
    """Locust warns of many users at once, who would all begin to send; ours may be slots that wait to be called."""
    return not str(record.msg).startswith("Your selected spawn rate is very high")


def _begin(environment: Environment, runner: Any, web_ui: Any = None, **_: Any) -> None:
    telemetry = Telemetry(environment, decides=not isinstance(runner, WorkerRunner))
    session = _sessions[environment] = _session(environment, runner, web_ui)
    if isinstance(session, RunSession):
        telemetry.follow(session)
    if web_ui is not None:
        steering = steering_of(environment)
        add_pages(web_ui, environment, steering)
        add_tabs(web_ui, lambda: look(steering, environment))
        hide_endings(web_ui)


def _session(environment: Environment, runner: Any, web_ui: Any) -> RunSession | WorkerSession:
    match runner:
        case WorkerRunner():
            return WorkerSession(environment, runner)
        case MasterRunner():
            return MasterSession(environment, runner, web_ui)
    assert isinstance(runner, LocalRunner)
    return LocalSession(environment, runner, web_ui)
