"""`/openapi.json`: what this server answers to, for programs."""

from __future__ import annotations

import json
from functools import cached_property

from falcon import Request, Response

from upswarm_server import openapi
from upswarm_server.settings import Settings


class OpenApi:
    """The description; it depends on the settings alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _document(self) -> bytes:
        return json.dumps(openapi.description(self._settings)).encode()

    def on_get(self, req: Request, resp: Response) -> None:
        """Always 200."""
        resp.data = self._document
        resp.content_type = "application/json"
