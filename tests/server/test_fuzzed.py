"""Schemathesis reads the OpenAPI description and sends what fits it and what does not; every answer must fit it.

The requests are the same in every run. More of them: raise `max-examples` below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import schemathesis
from falcon.testing import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance, unsupported_method

from tests.server.test_uploads import begin, finalize, whole
from tests.servers import RunningServer
from upswarm_server.app import create_app
from upswarm_server.auth import OPEN_PATHS
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

TOKEN = "a-token"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
# What fits the description may be refused for a reason of its own, but never as not understood.
UNDERSTOOD = ["2xx", "3xx", "401", "403", "404", "409", "410", "411", "413", "416", "422"]
REFUSED = ["400", "401", "403", "404", "409", "410", "411", "413", "416", "422"]


def application(**more: Any) -> Any:
    limits = {"min_chunk_size_bytes": 1, "max_file_size_bytes": 1 << 20, "max_whole_file_size_bytes": 1 << 20}
    return create_app(Settings(**limits, **more), store=MemoryStore(), catalog=MemoryCatalog())


def described(app: Any, *, codec: str, max_examples: int) -> Any:
    """The application as it describes itself."""
    return schemathesis.openapi.from_wsgi(
        "/openapi.json", app, config=configured(codec, max_examples), headers=WITH_TOKEN
    )


def configured(codec: str, max_examples: int) -> SchemathesisConfig:
    config = {
        "generation": {"deterministic": True, "database": "none", "max-examples": max_examples, "codec": codec},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": UNDERSTOOD},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        },
    }
    return SchemathesisConfig.from_dict(config)


app = application()
in_ascii = described(app, codec="ascii", max_examples=10)
in_unicode = described(app, codec="utf-8", max_examples=10)
with_token = described(application(tokens=(TOKEN,)), codec="ascii", max_examples=5)


@in_ascii.parametrize()
def test_every_answer_is_described_and_what_is_described_is_understood(case: Case) -> None:
    to_what_is_there(case)
    whole_file_as_the_description_says(case)
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if may_be_misunderstood(case) else [])


@in_unicode.parametrize()
def test_every_answer_in_any_script_is_described(case: Case) -> None:
    # Which characters are printable can't be described.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


@with_token.parametrize()
def test_without_the_token_nothing_is_answered_but_that_it_is_missing(case: Case) -> None:
    answer = case.call()
    case.validate_response(answer, excluded_checks=[positive_data_acceptance, unsupported_method])
    assert answer.status_code == 401 or case.path in OPEN_PATHS


def test_over_real_sockets_every_answer_is_described(server_of: Callable[..., RunningServer]) -> None:
    server = server_of(workers=1, max_file_size="1MiB", max_whole_file_size="1MiB")
    served = schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=configured("ascii", 5))
    for found in served.get_all_operations():
        try_over_sockets(found.ok())
    assert "Traceback" not in server.errors


def try_over_sockets(operation: Any) -> None:
    @settings(max_examples=8, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answered_as_described(case: Case) -> None:
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    answered_as_described()


def to_what_is_there(case: Case) -> None:
    """Send every other request to an upload or a file that exists, instead of one that was drawn."""
    if not meant_well(case):
        return
    client = TestClient(app)
    if "file_id" in case.path_parameters:
        case.path_parameters["file_id"] = finalize(client, whole(client)).json["file_id"]
    elif "upload_id" in case.path_parameters and len(str(case.body)) % 2:
        case.path_parameters["upload_id"] = begin(client)["upload_id"]


def meant_well(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def may_be_misunderstood(case: Case) -> bool:
    """Whether this fits the description and yet may be refused as not understood."""
    # JSON Schema takes 1.0 for an integer, the server does not; an empty file is written without its own line break by
    # Werkzeug, which Falcon does not read; and in its coverage phase Schemathesis takes wrong headers for right ones.
    values = list(case.body.values()) if isinstance(case.body, dict) else []
    misread = any(isinstance(value, float) or value in ("", b"") for value in values)
    return misread or (case.meta is not None and case.meta.phase.name == "coverage")


def whole_file_as_the_description_says(case: Case) -> None:
    """What only its prose says: a raw body needs a filename, a form has everything in itself."""
    if not meant_well(case):
        return
    if case.media_type == "multipart/form-data":
        case.query = {}
    elif case.operation.label == "POST /v1/files":
        case.query = {"filename": "a", **case.query}


class Journeys(in_ascii.as_state_machine()):  # type: ignore[misc]
    """From answer to answer along their links: what one gives, the next one uses."""

    def before_call(self, case: Case) -> None:
        whole_file_as_the_description_says(case)

    def validate_response(self, response: Any, case: Case, *arguments: Any, **more: Any) -> None:
        excluded = [positive_data_acceptance] if may_be_misunderstood(case) else []
        case.validate_response(response, excluded_checks=excluded, recorder=self.recorder)


TestJourneys = Journeys.TestCase
TestJourneys.settings = settings(
    max_examples=15,
    stateful_step_count=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
