"""What a request is for, told by its method and its route: the words of `docs/glossary.md`, in one table."""

from __future__ import annotations

PHASES = ("init", "chunk", "probe", "finalize", "abort", "inspect")

_BY_ROUTE = {
    ("POST", "/v1/uploads"): "init",
    ("PUT", "/v1/uploads/{upload_id}/chunks/{index}"): "chunk",
    ("GET", "/v1/uploads/{upload_id}"): "probe",
    ("POST", "/v1/uploads/{upload_id}/finalize"): "finalize",
    ("DELETE", "/v1/uploads/{upload_id}"): "abort",
    ("POST", "/v1/files"): "init",
    ("GET", "/v1/files"): "inspect",
    ("GET", "/v1/files/{file_id}"): "inspect",
    ("GET", "/v1/files/{file_id}/content"): "inspect",
    ("HEAD", "/v1/files/{file_id}/content"): "inspect",
}
_TUS = {"POST": "init", "PATCH": "chunk", "HEAD": "probe", "DELETE": "abort"}


def phase_of(method: str, route: str) -> str | None:
    """The phase of a request; `route` is a template such as `/v1/files/{file_id}`. None for what is of no phase."""
    if route.startswith("/tus"):
        return _TUS.get(method)
    return _BY_ROUTE.get((method, route))
