"""The scenario's stages as Locust knows them: a shape that says, once a second, how many users there are."""

from __future__ import annotations

from locust import LoadTestShape

from upswarm.swarm.beside import added_users
from upswarm.swarm.session import steering_of

_ANEW = 0.001
"""Locust spawns anew where the rate is another one: that is how it hears of workers that came or went."""


class StagesShape(LoadTestShape):
    """Follows the stages of the run that is going on. `-u`, `-r`, `-t` and the web form have changed them already."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """(users, users per second to get there): at once, and the same as long as the users and the workers are.

        A new pair makes Locust spawn anew, which must not happen while a run is being ended. At the end they stay as
        they are, for it is the session that ends the run: Locust would end it a second time.
        Users of classes with a `fixed_count` come in addition; Locust starts them first and stops them last.
        """
        assert self.runner is not None
        steering, latest = steering_of(self.runner.environment), self.runner.shape_last_tick
        users = steering.users_now()
        if users is None:
            return None if latest is None else latest[:2]
        users += added_users(self.runner.user_classes)
        if latest is None:
            users = max(users, 1)  # a master can't start a run with no users at all
        peak_users = steering.plan.workload.peak_users
        return users, max(1, users, peak_users) + steering.cuts * _ANEW
