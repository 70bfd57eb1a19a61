"""The pieces of which `openapi` is put together: parameters, bodies, answers, and an operation around them."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from upswarm_server.answers import PROBLEM_JSON
from upswarm_server.auth import OPEN_PATHS
from upswarm_server.openapi_schemas import COUNT, TEXT, UUID, Schema, ref
from upswarm_server.problems import TABLE
from upswarm_server.settings import Settings

Part = dict[str, Any]

BYTES: Part = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
EMPTY: Part = {"description": "Done."}
LOCATION: Part = {"Location": {"schema": TEXT, "required": True}}
_PATH_PARAMETERS = {"upload_id": UUID, "file_id": UUID, "index": COUNT}
_HEADERS_OF_PROBLEMS: dict[int, Part] = {
    401: {"WWW-Authenticate": {"schema": TEXT, "required": True}},
    405: {"Allow": {"schema": TEXT, "required": True}},
    503: {"Retry-After": {"schema": COUNT, "description": "Seconds after which trying again makes sense."}},
}


def operation(
    summary: str,
    answers: dict[int, Part],
    problems: list[str],
    *,
    parameters: list[Part] | None = None,
    body: Part | None = None,
) -> Part:
    """What a method does; `problems` are the codes that are its own, those of all operations come in `completed`."""
    return {
        "summary": summary,
        "problems": problems,
        "answers": answers,
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": body} if body else {}),
    }


def completed(path: str, method: str, about: Part, settings: Settings) -> Part:
    """The operation as OpenAPI has it, with what holds for all of them."""
    names = re.findall(r"{(\w+)}", path)
    of_path = [{"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]} for name in names]
    common = ["internal_error", "storage_failed", *(["not_found"] if names else [])]
    secured = bool(settings.tokens) and path not in OPEN_PATHS
    answers = {str(status): answer for status, answer in about["answers"].items()}
    answers |= problems([*about["problems"], *common, *(["unauthorized", "forbidden"] if secured else [])])
    return {
        "operationId": operation_id(method, path),
        **{name: value for name, value in about.items() if name not in ("problems", "answers")},
        "parameters": of_path + about.get("parameters", []),
        "responses": _without_content(answers) if method == "head" else answers,
        **({} if secured else {"security": []}),
    }


def operation_id(method: str, path: str) -> str:
    """A name for a route: `put_v1_uploads_upload_id_chunks_index`."""
    return "_".join([method, *re.findall(r"\w+", path.replace(".", "_"))])


def problems(codes: list[str]) -> dict[str, Part]:
    """An answer for every status of these problems, each with the codes that it can have."""
    by_status = groupby(sorted(codes, key=lambda code: TABLE[code].status), key=lambda code: TABLE[code].status)
    return {str(status): _problem(status, list(group)) for status, group in by_status}


def _problem(status: int, codes: list[str]) -> Part:
    schema = {"allOf": [ref("Problem")], "properties": {"status": {"const": status}, "code": {"enum": codes}}}
    headers = _HEADERS_OF_PROBLEMS.get(status)
    return {
        "description": " ".join(TABLE[code].title for code in codes),
        **({"headers": headers} if headers else {}),
        "content": {PROBLEM_JSON: {"schema": schema}},
    }


def _without_content(answers: dict[str, Part]) -> dict[str, Part]:
    return {
        status: {name: value for name, value in answer.items() if name != "content"}
        for status, answer in answers.items()
    }


def json_answer(schema: Schema, summary: str = "Done.") -> Part:
    """An answer that is JSON."""
    return {"description": summary, "content": {"application/json": {"schema": schema}}}


def json_body(schema: Schema) -> Part:
    """A body that is JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def query(name: str, schema: Schema, summary: str) -> Part:
    """A query parameter; all are optional."""
    return {"name": name, "in": "query", "schema": schema, "description": summary}


def header(name: str, schema: Schema, summary: str) -> Part:
    """A header of the request; all are optional."""
    return {"name": name, "in": "header", "schema": schema, "description": summary}


def link(method: str, path: str, **parameters: str) -> Part:
    """Where the values of an answer lead to."""
    return {"operationId": operation_id(method, path), "parameters": parameters}
