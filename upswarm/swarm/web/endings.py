"""Locust's page asks on only while a run goes on: it hears of an ending when it is over, or would show it for ever."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_STOPPING
from locust.web import WebUI

_ENDING = {STATE_CLEANUP, STATE_STOPPING}


def hide_endings(web_ui: WebUI) -> None:
    """Let a run that is being stopped be a running one, to a page that is loaded then and to one that asks then."""
    app = web_ui.app
    assert app is not None
    update: Callable[[], None] = web_ui.update_template_args

    def update_and_hide() -> None:
        update()
        if web_ui.template_args["state"] in _ENDING:
            web_ui.template_args["state"] = STATE_RUNNING

    @app.after_request
    def hidden(response: Response) -> Response:
        if request.endpoint == "locust.request_stats" and response.is_json:
            statistics = response.get_json()
            if statistics.get("state") in _ENDING:
                response.set_data(app.json.dumps({**statistics, "state": STATE_RUNNING}))
        return response

    web_ui.update_template_args = update_and_hide  # type: ignore[method-assign]
