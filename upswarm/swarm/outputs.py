"""What Locust itself leaves of a run: `--html`, `--json`, `--json-file` and `--csv`.

Locust writes its page only at the ends that it had in mind, and SIGTERM is not among them. Its JSON empties the
statistics, so of two that are asked for the second is empty. And its CSV files are written once a second, but not at
the end, so `LastingCSVWriter` stands in for its own. Here all of them are written when the last number is there,
however a run ends.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gevent
from locust import stats
from locust.env import Environment
from locust.html import get_html_report

from upswarm.results.run_file import Run

_UNSTATED = "scenario"
"""Stands in the page's name for a number that nobody gave, where the scenario has no single one either."""


class LastingCSVWriter(stats.StatsCSVFileWriter):
    """Locust's own, which ends with the last numbers, and writes nothing after that."""

    _writing: gevent.Greenlet | None = None

    def stats_writer(self) -> None:
        """Once a second, until the files are closed."""
        self._writing = gevent.getcurrent()
        super().stats_writer()

    def close_files(self) -> None:
        """Write the numbers as they are now; the history goes on as it was."""
        if self._writing is not None:
            self._writing.kill()
        for handle, writer, fill in (
            (self.requests_csv_filehandle, self.requests_csv_writer, self.requests_csv),
            (self.failures_csv_filehandle, self.failures_csv_writer, self.failures_csv),
            (self.exceptions_csv_filehandle, self.exceptions_csv_writer, self.exceptions_csv),
        ):
            handle.seek(0)
            handle.truncate()
            fill(writer)
        super().close_files()


class LocustOutputs:
    """Takes these options from Locust, so that nothing is written twice, and does what they say."""

    def __init__(self, environment: Environment) -> None:
        options: Any = environment.parsed_options
        self._environment = environment
        self.prints_json = bool(options.json)
        self._html_file, options.html_file = options.html_file, None
        self._json_file, options.json_file = options.json_file, None
        self._spawn_rate = options.spawn_rate  # of the command line; Locust will put 1 where there is none
        options.json = False
        self._writing: gevent.Greenlet | None = None

    def write(self, run: Run | None) -> str | None:
        """Write them, after the last `run`; what went wrong, in words. Whoever asks again waits for the same."""
        if self._writing is None:
            self._writing = gevent.spawn(self._write, run)
        problem: str | None = self._writing.get()
        return problem

    def _write(self, run: Run | None) -> str | None:
        try:
            self._write_json()
            if self._html_file:
                page = get_html_report(self._environment, show_download_link=False)
                _write(self._named(self._html_file, run), page)
        except OSError as error:
            return f"Locust's own report could not be written: {error}"
        return None

    @property
    def _options(self) -> Any:
        return self._environment.parsed_options

    def _write_json(self) -> None:
        entries = [entry for entry in self._environment.stats.entries.values() if entry.num_requests]
        text = json.dumps([entry.serialize() for entry in entries], indent=4)
        if self._json_file:
            _write(self._json_file, text)
        if self.prints_json:
            print(text, flush=True)

    def _named(self, template: str, run: Run | None) -> str:
        """`{u}`, `{r}` and `{t}` are numbers of the run, also those that the scenario gives."""
        numbers = {
            "{u}": self._options.num_users if run is None else run.peak_users,
            "{r}": self._spawn_rate,
            "{t}": None if run is None else run.planned_s,
        }
        for tag, number in numbers.items():
            template = template.replace(tag, _UNSTATED if number is None else f"{number:g}")
        return template


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
