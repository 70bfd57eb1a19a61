"""What a run needs on this machine, and leaves or removes: a folder for its files, and perhaps a server of its own."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from upswarm.errors import UsageError
from upswarm.files import new_folder
from upswarm.scenario.model import Scenario
from upswarm.scenario.urls import EMBEDDED
from upswarm.swarm.drill.site import Site
from upswarm.transfer.access import check_reachable


class Premises:
    """Of one run after the other. An embedded server outlives its run until `tidy`, for users may still be leaving."""

    def __init__(self) -> None:
        self._server: Site | None = None
        self._spent: Site | None = None
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of the run that was prepared last."""
        assert self._folder is not None
        return self._folder

    @property
    def embedded(self) -> bool:
        """Whether the target is a server that was started for this run."""
        return self._server is not None

    @property
    def site(self) -> Site:
        """The embedded server of the run that goes on, and the way to it."""
        assert self._server is not None
        return self._server

    def open(self, reports: Path, scenario: Scenario) -> str:
        """Make a folder and find the target, or start it; its URL. Raises `UpswarmError`, and then nothing is left."""
        self._folder = new_folder(reports, f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{scenario.name}")
        try:
            url = self._find_target(scenario)
        except Exception:
            self.discard()
            raise
        if self._folder is None:  # somebody has discarded all of it meanwhile, but for the server that was starting
            self.discard()
            raise UsageError("the run was cut off before it started")
        return url

    def close(self) -> None:
        """The run is over, and has left its files."""
        self._spent, self._server = self._server, None
        self._forget_folder()

    def tidy(self) -> None:
        """Stop the embedded server of a run that is over, now that no user needs it any more."""
        spent, self._spent = self._spent, None
        if spent is not None:
            spent.stop()

    def discard(self) -> None:
        """Stop the embedded server, and remove the folder of a run that left nothing in it."""
        self.tidy()
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._forget_folder()

    def _find_target(self, scenario: Scenario) -> str:
        url = scenario.target.url
        if url == EMBEDDED:
            self._server = Site(scenario)
            return self._server.url
        check_reachable(url, scenario.transfer.open_transport(url))
        return url

    def _forget_folder(self) -> None:
        if self._folder is not None:
            with suppress(OSError):  # there is something in it
                self._folder.rmdir()
            self._folder = None
