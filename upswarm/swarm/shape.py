"""The scenario's stages as Locust knows them: a shape that says, once a second, how many users there are."""

from __future__ import annotations

from locust import LoadTestShape

from upswarm.swarm.session import steering_of


class StagesShape(LoadTestShape):
    """Follows the stages of the run that is going on. `-u`, `-r`, `-t` and the web form have changed them already."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """(users, users per second to get there), or None at the end."""
        assert self.runner is not None
        current = self.runner.target_user_count
        users = steering_of(self.runner.environment).users_now(current)
        if users is None:
            return None
        if current == 0:
            users = max(users, 1)  # a master can't start a run with no users at all
        return users, max(1.0, abs(users - current))
