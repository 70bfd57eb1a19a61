"""The user that Locust spawns: it uploads a file, rests, and uploads the next."""

from __future__ import annotations

from functools import cached_property

import gevent
from locust import User, tag, task

from upswarm.swarm.session import load_of
from upswarm.swarm.uploading.feeds import Turn
from upswarm.swarm.uploading.load import Load
from upswarm.transfer.records import Outcome
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Uploader

_IDLE_S = 0.5
"""How long a user rests for whom there is nothing to do, until there is, or Locust stops it."""


class UploadUser(User):
    """Uploads the scenario's files over connections of its own: one, or as many as the scenario's `parallel_chunks`.

    A `User` like any other: `wait_time`, `weight`, `fixed_count`, `context`, tags and further tasks are as in Locust.
    Who overrides `on_stop` calls it here too. The end of an upload is told to `on_upload`.
    """

    _travelling: gevent.Greenlet | None = None

    @cached_property
    def load(self) -> Load:
        """This process's part of the run that was going on when this user joined it."""
        return load_of(self.environment)

    @cached_property
    def transports(self) -> list[Transport]:
        """This user's connections to the target."""
        return self.load.equipment.open_transports()

    @cached_property
    def uploader(self) -> Uploader:
        """Carries files over them."""
        return self.load.equipment.uploader(*self.transports, context=self.context)

    def on_start(self) -> None:
        """Join the run here and now, so that the first upload has nothing to wait for."""
        _ = self.uploader

    def on_stop(self) -> None:
        """Leave it, if there was one. Fewer users are no reason to cut a file in two: an upload goes on to its end."""
        if self._travelling is None or self._travelling.dead:
            self._close()
        else:
            self._travelling.link(lambda _: self._close())

    def on_upload(self, outcome: Outcome) -> None:
        """An upload of this user has ended: `outcome.end` says how, `outcome.receipt` names the file on the server.

        For subclasses; there is nothing to call.
        """

    def wait_time(self) -> float:
        """The scenario's think time, in seconds."""
        return self.load.think_time_s

    @tag("upload")
    @task
    def upload(self) -> None:
        """One file. What becomes of it is recorded, not returned; an upload that fails is no exception."""
        turn = self.load.next_turn()
        if turn is None:
            gevent.sleep(_IDLE_S)
        else:
            outcome = self._carry(turn)
            if outcome is not None:
                self.on_upload(outcome)

    def _carry(self, turn: Turn) -> Outcome | None:
        """The upload has a greenlet of its own, which outlives this user where Locust takes it away."""
        self._travelling = self.load.carry(turn, self.uploader)
        ended = self._travelling.get()
        if isinstance(ended, Exception):
            raise ended
        return ended if isinstance(ended, Outcome) else None

    def _close(self) -> None:
        for transport in vars(self).get("transports", ()):
            transport.close()
