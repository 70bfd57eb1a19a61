"""Where users of other classes find the target: `host` is its real URL, also where the scenario says `embedded`."""

from __future__ import annotations

from locust import User
from locust.env import Environment


class Hosts:
    """Lends the URL of each run's target to the user classes of one process.

    As in Locust, a host that was given (`--host`, or the field in the web form) is everybody's, and else a class may
    have its own.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._given = environment.host
        self._url = ""
        self._own: dict[type[User], str | None] = {}

    def lend(self, url: str) -> None:
        """To every class that has no host of its own; those of the last run get their own back before."""
        for each, own in self._own.items():
            if each.host == self._url:
                each.host = own
        self._url = url
        self._own = {each: each.host for each in self._environment.user_classes}
        for each in self._own:
            each.host = each.host or url

    def open(self, url: str, *, given: bool) -> None:
        """A run begins: Locust gives `environment.host` to all classes on all workers, unless it is None."""
        self.lend(url)
        self._given, self._environment.host = self._environment.host, url if given else None

    def close(self) -> None:
        """The run is over: the web form shows again what stood there."""
        self._environment.host = self._given
