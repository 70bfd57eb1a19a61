"""Where somebody asks for events (`--events`), each process that uploads writes its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from upswarm.results.events import Event, EventSink, open_sink
from upswarm.swarm.uploading.receipts import LOCAL
from upswarm.transfer.records import Attempt, Outcome

if TYPE_CHECKING:
    from locust.env import Environment

Tell = Callable[[Exception], None]


class Events:
    """An observer that keeps everything. Where the disk does not want it, that is told once, and the run goes on."""

    def __init__(self, path: Path | None, run_id: str, worker: str, started_s: float, tell: Tell) -> None:
        self._about = run_id, worker, started_s
        self._tell = tell
        self._sink: EventSink | None = None
        if path is not None:
            try:
                self._sink = open_sink(path)
            except OSError as error:
                self._give_up(error)

    @classmethod
    def of(cls, environment: Environment, run_id: str, started_s: float, tell: Tell) -> Events:
        """This process's own; that of a worker has the worker in its name."""
        from locust.runners import WorkerRunner  # noqa: PLC0415 (importing Locust patches the interpreter)

        wished, runner = getattr(environment.parsed_options, "events", ""), environment.runner
        path = Path(wished) if wished else None
        worker = runner.client_id if isinstance(runner, WorkerRunner) else LOCAL
        if path is not None and worker != LOCAL:
            path = path.with_stem(f"{path.stem}.{worker}")
        return cls(path, run_id, worker, started_s, tell)

    def attempted(self, attempt: Attempt) -> None:
        """Keep a request."""
        if self._sink is not None:
            self._keep(Event.of_attempt(attempt, *self._about))

    def ended(self, outcome: Outcome) -> None:
        """Keep an upload."""
        if self._sink is not None:
            self._keep(Event.of_outcome(outcome, *self._about))

    def close(self) -> None:
        """Nothing comes any more."""
        sink, self._sink = self._sink, None
        if sink is not None:
            try:
                sink.close()
            except OSError as error:
                self._give_up(error)

    def _keep(self, event: Event) -> None:
        assert self._sink is not None
        try:
            self._sink.add(event)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._sink = None
        self._tell(OSError(f"events can't be kept any more: {error}"))
