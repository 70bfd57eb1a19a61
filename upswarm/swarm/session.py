"""Where Locust's events meet ours: each process has one session, of the kind that its runner asks for."""

from __future__ import annotations

import logging
from typing import Any
from weakref import WeakKeyDictionary

from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from upswarm.swarm.load import Load
from upswarm.swarm.local_session import LocalSession
from upswarm.swarm.master_session import MasterSession
from upswarm.swarm.options import add_options
from upswarm.swarm.run_session import RunSession
from upswarm.swarm.steering import Steering
from upswarm.swarm.worker_session import WorkerSession

_sessions: WeakKeyDictionary[Environment, RunSession | WorkerSession] = WeakKeyDictionary()


def connect() -> None:
    """Listen to Locust's events. A locustfile calls this once, when it is imported."""
    logging.getLogger("locust.runners").addFilter(_is_of_use)
    events.init_command_line_parser.add_listener(add_options)
    events.init.add_listener(_begin)


def load_of(environment: Environment) -> Load:
    """This process's part of the run that is going on, for its users."""
    session = _sessions[environment]
    assert isinstance(session, LocalSession | WorkerSession)
    return session.load


def steering_of(environment: Environment) -> Steering:
    """What decides about the run, for the shape."""
    session = _sessions[environment]
    assert isinstance(session, RunSession)
    return session.steering


def _is_of_use(record: logging.LogRecord) -> bool:
    """Locust warns of many users at once, who would all begin to send; ours may be slots that wait to be called."""
    return not str(record.msg).startswith("Your selected spawn rate is very high")


def _begin(environment: Environment, runner: Any, web_ui: Any = None, **_: Any) -> None:
    match runner:
        case WorkerRunner():
            _sessions[environment] = WorkerSession(environment, runner)
        case MasterRunner():
            _sessions[environment] = MasterSession(environment, runner, web_ui)
        case LocalRunner():
            _sessions[environment] = LocalSession(environment, runner, web_ui)
