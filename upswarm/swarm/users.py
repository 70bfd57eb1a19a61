"""The user that Locust spawns: it uploads a file, rests, and uploads the next."""

from __future__ import annotations

import gevent
from locust import User, task

from upswarm.swarm.load import Load
from upswarm.swarm.session import load_of
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Uploader

_IDLE_S = 0.5
"""How long a user rests for whom there is nothing to do any more, until Locust stops it."""


class UploadUser(User):
    """Uploads the scenario's files over connections of its own: one, or as many as the scenario's `parallel_chunks`.

    `load` is this process's part of the run, `uploader` what carries a file; both are there from `on_start` on.
    """

    load: Load
    transports: list[Transport]
    uploader: Uploader

    def on_start(self) -> None:
        """Join the run that is going on."""
        self.load = load_of(self.environment)
        self.transports = self.load.open_transports()
        self.uploader = self.load.uploader(*self.transports)

    def on_stop(self) -> None:
        """Leave it."""
        for transport in self.transports:
            transport.close()

    def wait_time(self) -> float:
        """The scenario's think time, in seconds."""
        return self.load.think_time_s

    @task
    def upload(self) -> None:
        """One file. What becomes of it is recorded, not returned; an upload that fails is no exception."""
        with self.load.next_turn() as turn:
            if turn is None:
                gevent.sleep(_IDLE_S)
                return
            with self.load.open_file(turn.number) as file:
                self.uploader.upload(file, turn.due_s, turn.number)
