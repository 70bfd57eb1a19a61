"""Where Locust's events meet ours: the order in which things happen in a run, for every kind of runner.

A run ends in `test_stopping`, which Locust fires first however a run is stopped: by its shape, by the web UI, by
Ctrl-C, by SIGTERM. There the load is drained, the last reports are gathered and the verdict is made. Locust itself
would wait half a second and hope.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from platform import node
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import events
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, MasterRunner, Runner, WorkerRunner

from upswarm.errors import EXIT_GENERATOR, EXIT_OK, UpswarmError
from upswarm.swarm.gathering import Reporting
from upswarm.swarm.load import Load
from upswarm.swarm.options import add_options
from upswarm.swarm.plan import Plan, share_of
from upswarm.swarm.steering import Steering, Wishes
from upswarm.swarm.webform import guard_swarm
from upswarm.workload.mix import Share

_DRAIN, _LAST = "upswarm_drain", "upswarm_last_report"
_GRACE_S, _HURRY_S = 10.0, 1.0
_REPORT_MARGIN_S = 15.0
_LOCAL = "local"


def connect() -> None:
    """Listen to Locust's events. A locustfile calls this once, when it is imported."""
    events.init_command_line_parser.add_listener(add_options)
    events.init.add_listener(_begin)


def of(environment: Environment) -> Session:
    """The session of an environment."""
    return _sessions[environment]


def _begin(environment: Environment, web_ui: Any = None, **_: Any) -> None:
    session = _sessions[environment] = Session(environment)
    session.listen()
    if isinstance(environment.runner, WorkerRunner):
        environment.process_exit_code = EXIT_OK  # the verdict is the master's
    elif web_ui is not None and not _options(environment).autostart:
        guard_swarm(web_ui, environment, session.steering.prepare)
    else:
        session.prepare_or_exit()
    if isinstance(environment.runner, WorkerRunner):
        if _options(environment).processes:  # Ctrl-C reaches the whole family, and the master knows what to do
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        else:
            _end_on(session.end, signal.SIGINT)
    elif session.headless:
        _end_on(session.end, signal.SIGINT, signal.SIGTERM)


def _end_on(end: Callable[[], None], *numbers: signal.Signals) -> None:
    """End in order on the first of these signals; after that they do what they do by default.

    Left to Python, Ctrl-C is an exception in whichever user happens to run. And Locust listens to SIGTERM only when a
    headless run's shape has ended; on workers it always does.
    """

    def heard() -> None:
        for number, handler in zip(numbers, handlers, strict=True):
            handler.cancel()
            signal.signal(number, signal.SIG_DFL)
        gevent.spawn(end)  # a cancelled handler can't pass on that `end` exits

    handlers = [gevent.signal_handler(number, heard) for number in numbers]


class Session:
    """One process's life with Locust: a local run, a master, or a worker."""

    def __init__(self, environment: Environment) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner: Runner = environment.runner
        self._load: Load | None = None
        self._reporting: Reporting | None = None
        self._progress: gevent.Greenlet | None = None
        self._finishing: gevent.Greenlet | None = None
        self.steering = Steering()

    @property
    def headless(self) -> bool:
        """Whether nobody can press Start or Stop."""
        return bool(_options(self._environment).headless)

    def listen(self) -> None:
        """Register for the events of this kind of runner."""
        hooks = self._environment.events
        if isinstance(self._runner, WorkerRunner):
            hooks.test_start.add_listener(self._worker_starts)
            hooks.report_to_master.add_listener(self._worker_reports)
            hooks.test_stopping.add_listener(self._worker_stops)
            self._runner.register_message(_DRAIN, self._drain_worker, concurrent=True)
            return
        hooks.test_start.add_listener(self._run_starts)
        hooks.worker_report.add_listener(self._worker_reported)
        hooks.test_stopping.add_listener(self._run_stops)
        hooks.quitting.add_listener(self._quit)
        if isinstance(self._runner, MasterRunner):
            self._runner.register_message(_LAST, self._last_report_came)

    def prepare_or_exit(self) -> None:
        """Headless: what is wrong is said before any user starts."""
        options = _options(self._environment)
        wishes = Wishes(
            scenario=options.scenario,
            reports=Path(options.reports),
            target=self._environment.host,
            users=options.num_users,
            spawn_rate_per_s=options.spawn_rate,
            duration_s=options.run_time,
        )
        try:
            self.steering.prepare(wishes)
        except UpswarmError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)

    def end(self) -> None:
        """Stop what is running, in order; where nothing runs yet, leave."""
        if isinstance(self._runner, WorkerRunner) or self.steering.running:
            self._runner.quit()
        else:
            self._environment.events.quitting.fire(environment=self._environment, reverse=True)
            sys.exit(self._environment.process_exit_code)

    def load_under_way(self) -> Load:
        """This process's part of the run, for its users."""
        assert self._load is not None
        return self._load

    # --- a local run, or a master -----------------------------------------------------------------------------------

    def _run_starts(self, **_: Any) -> None:
        if isinstance(self._runner, MasterRunner):
            clients = self._runner.clients
            ready = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
            worker_ids = sorted(ready, key=self._runner.get_worker_index)
            _options(self._environment).upswarm_plan = self.steering.plan.to_document(worker_ids)
        else:
            worker_ids = [_LOCAL]
            self._begin_load(self.steering.plan, Share(0, 1))
        self.steering.start(worker_ids)
        self._progress = gevent.spawn(self._show_progress)
        gevent.spawn_later(self.steering.plan.stages.duration_s, self._time_is_up, self.steering.plan.run_id)

    def _time_is_up(self, run_id: str) -> None:
        """The shape would notice too, but it looks only once a second."""
        if self.steering.running and self._finishing is None and self.steering.plan.run_id == run_id:
            if self.headless:
                self._runner.quit()
            else:
                self._runner.stop()

    def _show_progress(self) -> None:
        while True:
            gevent.sleep(1.0)
            if self._load is not None:
                self._report_to_self()
            self.steering.show_progress(self._runner.user_count)

    def _run_stops(self, **_: Any) -> None:
        """Locust may come here a second time, by the shape, while the first is under way, and goes on to stop users.

        So everyone waits; and the work is done in a greenlet of its own, for Locust may kill those that wait.
        """
        if self.steering.running and self._finishing is None:
            self._finishing = gevent.spawn(self._finish)
        if self._finishing is not None:
            self._finishing.join()

    def _finish(self) -> None:
        complete = self.steering.complete
        faults = [f"worker {worker_id} left before the end" for worker_id in self.steering.left()] if complete else []
        if self.headless and not complete:
            faults.append(self._cut_off())
        self._drain((self._environment.stop_timeout or _GRACE_S) if complete else _HURRY_S)
        if self._progress is not None:
            self._progress.kill()
        faults += [f"the generator failed: {each['msg']}" for each in self._runner.exceptions.values()]
        self._environment.process_exit_code = self.steering.finish(faults).exit_code
        self._finishing = None

    def _drain(self, grace_s: float) -> None:
        if isinstance(self._runner, MasterRunner):
            self._runner.send_message(_DRAIN, {"grace_s": grace_s})
            self._await_last_reports(grace_s + _REPORT_MARGIN_S)
        elif self._load is not None:
            self._load.drain(grace_s)
            self._report_to_self(last=True)
            self._load = None

    def _cut_off(self) -> str:
        return (
            f"the run was cut off after {self.steering.elapsed_s:.1f} s of {self.steering.plan.stages.duration_s:g} s"
        )

    def _await_last_reports(self, patience_s: float) -> None:
        assert isinstance(self._runner, MasterRunner)
        with gevent.Timeout(patience_s, False):
            while any(not self._is_missing(worker_id) for worker_id in self.steering.waiting_for()):
                gevent.sleep(0.05)

    def _is_missing(self, worker_id: str) -> bool:
        assert isinstance(self._runner, MasterRunner)
        client = self._runner.clients.get(worker_id)
        return client is not None and client.state == STATE_MISSING

    def _worker_reported(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if "upswarm" in data and self.steering.running:
            self.steering.take(client_id, data["upswarm"])

    def _last_report_came(self, environment: Environment, msg: Message, **_: Any) -> None:
        self.steering.take(msg.node_id, msg.data)

    def _quit(self, **_: Any) -> None:
        """Locust takes the exit code right after this; on SIGTERM nothing has been stopped yet."""
        if self.steering.running and self._finishing is None:
            self._runner.stop()
        if self._finishing is not None:
            self._finishing.join()
        if self.steering.last_run is None and self.headless:
            print("the run was cut off before it started", file=sys.stderr)
            self._environment.process_exit_code = EXIT_GENERATOR
        self.steering.discard()

    # --- a local run, or a worker -----------------------------------------------------------------------------------

    def _begin_load(self, plan: Plan, share: Share) -> None:
        self._load = Load(self._environment, plan, share)
        self._reporting = Reporting(plan.run_id, node())

    def _report(self, *, last: bool = False) -> dict[str, Any]:
        assert self._load is not None
        assert self._reporting is not None
        return self._reporting.report(self._load.take(), last=last)

    def _report_to_self(self, *, last: bool = False) -> None:
        self.steering.take(_LOCAL, self._report(last=last))

    def _worker_starts(self, **_: Any) -> None:
        assert isinstance(self._runner, WorkerRunner)
        document = _options(self._environment).upswarm_plan
        share = share_of(document, self._runner.client_id, self._runner.worker_index)
        self._begin_load(Plan.of_document(document), share)

    def _worker_reports(self, data: dict[str, Any], **_: Any) -> None:
        if self._load is not None:
            data["upswarm"] = self._report()

    def _drain_worker(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._drain_and_report(msg.data["grace_s"])

    def _worker_stops(self, **_: Any) -> None:
        """The worker itself was told to stop, without a word from the master."""
        self._drain_and_report(_HURRY_S)

    def _drain_and_report(self, grace_s: float) -> None:
        if self._load is None or self._load.draining:
            return
        self._load.drain(grace_s)
        report, self._load = self._report(last=True), None
        self._runner.send_message(_LAST, report)


_sessions: WeakKeyDictionary[Environment, Session] = WeakKeyDictionary()


def _options(environment: Environment) -> Any:
    return environment.parsed_options
