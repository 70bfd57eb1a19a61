"""Our tables in Locust's own page, beside its own, and the way from there to the live page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from locust.web import WebUI

from upswarm.reports.live.live import Live
from upswarm.reports.live.tabs import COLUMNS, TABS, rows

_ROOT = b'<div id="root"></div>'
_LINK = b"""<style>
#upswarm-live { display: block; height: 29px; padding: 0 24px; background: #14532d; color: #fff; text-decoration: none;
  font: 14px/29px system-ui, sans-serif; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
#upswarm-live:focus-visible { outline: 2px solid #fff; outline-offset: -4px }
#root > :first-child { min-height: calc(100vh - var(--footer-height) - 29px) !important }
</style>
<a id="upswarm-live" href="./uploads">Uploads, live: <u>charts, percentiles, downloads</u></a>
"""
"""Locust's page is as tall as the window by itself; it gives up what the link needs, or there would be a scrollbar."""


def add_tabs(web_ui: WebUI, look: Callable[[], Live]) -> None:
    """Add the tabs; what other locustfiles have added stays."""
    assert web_ui.app is not None
    _extend(web_ui, "extended_tabs", [{"title": title, "key": key} for key, title in TABS.items()])
    _extend(web_ui, "extended_tables", [{"key": key, "structure": _structure(key)} for key in TABS])
    _extend(web_ui, "extended_csv_files", [{"href": "./uploads", "title": "Uploads, live: charts and downloads"}])

    @web_ui.app.after_request
    def added(response: Response) -> Response:
        if request.endpoint == "locust.request_stats" and response.is_json:
            _add_rows(web_ui, response, look())
        elif request.endpoint == "locust.index" and response.status_code == 200:
            response.set_data(response.get_data().replace(_ROOT, _LINK + _ROOT))
        return response


def _extend(web_ui: WebUI, name: str, entries: list[dict[str, Any]]) -> None:
    web_ui.template_args[name] = [*web_ui.template_args.get(name, []), *entries]


def _structure(tab: str) -> list[dict[str, str]]:
    return [{"key": key, "title": title} for key, title in COLUMNS[tab].items()]


def _add_rows(web_ui: WebUI, response: Response, live: Live) -> None:
    """Locust hands out one and the same answer for two seconds: it may hold our tables already."""
    assert web_ui.app is not None
    statistics = response.get_json()
    others = [table for table in statistics.get("extended_stats", []) if table["key"] not in TABS]
    ours = [{"key": tab, "data": table} for tab, table in rows(live).items()]
    response.set_data(web_ui.app.json.dumps({**statistics, "extended_stats": [*others, *ours]}))
