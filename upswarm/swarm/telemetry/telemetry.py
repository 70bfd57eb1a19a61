"""Who follows the runs of this process, as its options and environment say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from locust.env import Environment

from upswarm.errors import UpswarmError
from upswarm.reports.live.live import Live
from upswarm.reports.terminal_screen import can_draw
from upswarm.swarm.run_session import RunSession
from upswarm.swarm.telemetry import wishes
from upswarm.swarm.telemetry.prometheus import Endpoint
from upswarm.swarm.telemetry.terminal import TerminalView
from upswarm.swarm.web.looking import look

if TYPE_CHECKING:
    from upswarm.swarm.telemetry.measures import Measures


class Telemetry:
    """Made before the session: what is wrong is said before anything is prepared, and the last number is sent too.

    A worker `decides` nothing, and nothing is told of it but the traces of its uploads.
    """

    def __init__(self, environment: Environment, *, decides: bool) -> None:
        self._environment = environment
        self._session: RunSession | None = None
        self._measures: Measures | None = None
        options: Any = environment.parsed_options
        self._out: TextIO = sys.stderr if options.json else sys.stdout
        self._draws = bool(options.headless and options.only_summary and not options.plain and can_draw(self._out))
        environment.events.quitting.add_listener(self._leave)  # Locust asks in reverse, so this one comes last
        if decides:
            self._offer(options.metrics_bind, options.metrics_port)

    def follow(self, session: RunSession) -> None:
        """The session is there: its runs are followed from now on."""
        self._session = session
        if self._draws:
            session.steering.followers.join(TerminalView(session.steering, self._look, self._out))
        if wishes.active("metrics"):
            from upswarm.swarm.telemetry.measures import Measures  # noqa: PLC0415 (it may not be there)

            self._measures = Measures(self._look)

    def _look(self) -> Live:
        return Live() if self._session is None else look(self._session.steering, self._environment)

    def _offer(self, bind: str, port: int | None) -> None:
        if port is None:
            return
        try:
            endpoint = Endpoint(bind, port, self._look)
        except UpswarmError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)
        print(f"metrics   {endpoint.url}", file=self._out, flush=True)

    def _leave(self, **_: Any) -> None:
        if self._measures is not None:
            self._measures.shut_down()
        if wishes.active("traces"):
            from upswarm.swarm.telemetry.tracing import end  # noqa: PLC0415 (it may not be there)

            end()
