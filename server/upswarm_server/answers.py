"""Every error becomes a problem document, whoever raised it."""

from __future__ import annotations

import json
import logging
from typing import Any

import falcon
from falcon import Request, Response

from upswarm_server.problems import Problem

PROBLEM_JSON = "application/problem+json"
_LINES = {460: "460 Checksum Mismatch"}  # a status of tus, which HTTP has no words for
_FALCON_CODES = {404: "not_found", 405: "method_not_allowed"}
_log = logging.getLogger("upswarm_server")


def install(app: falcon.App[Any, Any]) -> None:
    """Take over all error handling of the application."""
    app.add_error_handler(Exception, _on_bug)
    app.add_error_handler(OSError, _on_storage)
    app.add_error_handler(falcon.HTTPError, _on_http_error)
    app.add_error_handler(Problem, _on_problem)


def _on_problem(req: Request, resp: Response, problem: Problem, params: dict[str, Any]) -> None:
    resp.status = _LINES.get(problem.row.status, problem.row.status)
    resp.content_type = PROBLEM_JSON
    resp.data = json.dumps(problem.document()).encode()
    resp.stream = None
    if problem.retry_after_s is not None:
        resp.retry_after = problem.retry_after_s
    if problem.code == "unauthorized":
        resp.set_header("WWW-Authenticate", 'Bearer realm="upswarm"')


def _on_http_error(req: Request, resp: Response, error: falcon.HTTPError, params: dict[str, Any]) -> None:
    resp.set_headers(dict(error.headers or {}))
    if error.status_code >= 500:
        _on_bug(req, resp, error, params)
        return
    code = _FALCON_CODES.get(error.status_code, "invalid_request")
    detail = error.description or f"{req.method} {req.path[:200]}"
    _on_problem(req, resp, Problem(code, detail), params)


def _on_storage(req: Request, resp: Response, error: OSError, params: dict[str, Any]) -> None:
    # Broken connections are dealt with where bodies are read, so this is a disk that fails or can't be written.
    _log.error("%s %s failed: %s", req.method, req.path, error)
    _on_problem(req, resp, Problem("storage_failed", f"found: {error.strerror or type(error).__name__}"), params)


def _on_bug(req: Request, resp: Response, error: Exception, params: dict[str, Any]) -> None:
    _log.error("%s %s failed", req.method, req.path, exc_info=error)
    _on_problem(req, resp, Problem("internal_error", f"{type(error).__name__}; see the server's log"), params)
