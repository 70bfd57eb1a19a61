"""Our own pages under Locust's web server, behind the same login: the live page, its data, and downloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gevent
from flask import Blueprint, Response, request, send_file
from locust.env import Environment
from locust.web import WebUI

from upswarm import reports
from upswarm.audit.ledger import LEDGER_FILE
from upswarm.errors import UpswarmError
from upswarm.reports.html import REPORT_FILE
from upswarm.reports.live.live import UPLOAD, document
from upswarm.reports.outputs.csv_files import CSV_FILES
from upswarm.reports.outputs.junit import JUNIT_FILE
from upswarm.reports.outputs.markdown import SUMMARY_FILE
from upswarm.results.run_file import RUN_FILE, Run
from upswarm.swarm.steering import Steering
from upswarm.swarm.web.looking import look
from upswarm.transfer.messages import Phase

_REPORTS = Path(reports.__path__[0])
_PAGE = _REPORTS / "live_page"
_FILES = {"live.js": _PAGE, "chart.js": _PAGE, "live.css": _PAGE, "style.css": _REPORTS / "templates"}
_TYPES = {
    REPORT_FILE: "text/html", SUMMARY_FILE: "text/markdown", JUNIT_FILE: "application/xml",
    RUN_FILE: "application/json", **dict.fromkeys(CSV_FILES, "text/csv"), LEDGER_FILE: "application/x-ndjson",
}  # fmt: skip
_CHARTED = [*Phase, UPLOAD]
_OF_PAGES = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_OF_DOWNLOADS = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; sandbox allow-scripts"
"""What a report is made of; its scripts draw, in an origin of their own that knows nothing of this server's."""


def add_pages(web_ui: WebUI, environment: Environment, steering: Steering) -> None:
    """Add the routes, below the base path that the web UI has."""
    assert web_ui.app is not None
    options: Any = environment.parsed_options
    blueprint = Blueprint("upswarm", __name__, url_prefix=options.web_base_path or None)
    pages = _Pages(environment, steering)
    for rule, view in (
        ("/uploads", pages.page),
        ("/uploads/live", pages.live),
        ("/uploads/files/<name>", pages.file),
        ("/uploads/runs/<run_id>/<name>", pages.download),
    ):
        blueprint.add_url_rule(rule, view.__name__, web_ui.auth_required_if_enabled(view))
    web_ui.app.register_blueprint(blueprint)


class _Pages:
    """What the routes answer."""

    def __init__(self, environment: Environment, steering: Steering) -> None:
        self._environment = environment
        self._steering = steering

    def page(self) -> Response:
        return _guarded(send_file(_PAGE / "page.html"))

    def live(self) -> Response:
        phase, from_s = request.args.get("phase", Phase.CHUNK), request.args.get("from_s", 0, type=int)
        if phase not in _CHARTED:
            return _refused(400, f"expected a phase, one of {', '.join(_CHARTED)}")
        live, runs = look(self._steering, self._environment), self._steering.watch.past
        known = document(live, runs, phase=phase, from_s=from_s)
        return _guarded(Response(json.dumps(known, separators=(",", ":")), mimetype="application/json"))

    def file(self, name: str) -> Response:
        return _guarded(send_file(_FILES[name] / name)) if name in _FILES else _refused(404, "no such file")

    def download(self, run_id: str, name: str) -> Response:
        folder = self._steering.watch.folder(run_id)
        if folder is None or name not in _TYPES:
            return _refused(404, "no such file of a run of this process")
        return _downloaded(folder, name, f"{run_id}-{name}")


def _downloaded(folder: Path, name: str, shown: str) -> Response:
    """A file of a run; CSV is made of the run file, beside the loop, for a long run's is large."""
    content = gevent.get_hub().threadpool.apply(_read, (folder, name))
    if content is None:
        return _refused(404, f"{name} is not there any more: somebody has removed it")
    response = Response(content, mimetype=_TYPES[name])
    response.headers.set("Content-Disposition", "inline" if name == REPORT_FILE else "attachment", filename=shown)
    return _guarded(response, _OF_DOWNLOADS)


def _read(folder: Path, name: str) -> str | None:
    try:
        if name in CSV_FILES:
            return CSV_FILES[name](Run.load(folder))
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UpswarmError):
        return None


def _refused(status: int, sentence: str) -> Response:
    """Answered, not raised: with a login Locust's wrapper would make a success of it."""
    return _guarded(Response(f"{sentence}\n", status, mimetype="text/plain"))


def _guarded(response: Response, policy: str = _OF_PAGES) -> Response:
    """Nothing of ours is kept by a browser, guessed at, or runs what it was not sent for."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
