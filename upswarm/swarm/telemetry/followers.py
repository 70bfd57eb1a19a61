"""Those who follow each run of a process, from its start to its last number; they change nothing."""

from __future__ import annotations

from typing import Protocol


class Follower(Protocol):
    """Is told when a run starts, and when its last number is there."""

    @property
    def drawing(self) -> bool:
        """Whether it shows what progress lines would say."""

    def begin(self) -> None:
        """The run starts."""

    def end(self) -> None:
        """All has been measured; the summary is about to be printed."""


class Followers:
    """All of them."""

    def __init__(self) -> None:
        self._followers: list[Follower] = []

    def join(self, follower: Follower) -> None:
        """Somebody follows from the next run on."""
        self._followers.append(follower)

    @property
    def drawing(self) -> bool:
        """Whether one of them stands in for progress lines."""
        return any(each.drawing for each in self._followers)

    def begin(self) -> None:
        """The run starts."""
        for each in self._followers:
            each.begin()

    def end(self) -> None:
        """All has been measured."""
        for each in self._followers:
            each.end()
