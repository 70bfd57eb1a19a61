"""What the clients counted beside what the server did."""

from dataclasses import replace

import pytest

from tests.results.runs import run_of
from tests.results.samples import attempt, failed, finished, measured
from upswarm.results.server_rows import server_rows
from upswarm.transfer.failures import Failure

UPLOADS, CHUNKS = "/v1/uploads", "/v1/uploads/{upload_id}/chunks/{index}"


def rows(some, **server):
    run = replace(run_of(measured([(each, 0) for each in some])), server=server)
    return {row.what: (row.clients, row.server, row.agrees) for row in server_rows(run)}


def requests(*counts):
    routes = ("none", "/metrics", "/health/live", UPLOADS, CHUNKS)
    named = zip(routes, counts, strict=True)
    return {f'upswarm_requests_total{{method="GET",route="{route}",status="200"}}': count for route, count in named}


def test_a_server_that_said_nothing_is_compared_with_nothing():
    assert rows([attempt(), finished()]) == {}
    assert rows([attempt()], nginx_requests_total=7.0) == {}


def test_only_what_uploads_ask_for_is_counted():
    assert rows([attempt(), attempt()], **requests(9, 9, 9, 1, 1)) == {"requests answered": (2, 2, True)}


@pytest.mark.parametrize(("server", "agrees"), [(1, False), (2, True), (3, True), (4, False)])
def test_a_request_without_an_answer_may_have_been_answered_or_not(server, agrees):
    some = [attempt(), attempt(failure=Failure.SERVER_ERROR, status=503), attempt(failure=Failure.RESET)]
    assert rows(some, **requests(0, 0, 0, 0, server))["requests answered"] == (3, server, agrees)


@pytest.mark.parametrize(("server", "agrees"), [(999, False), (1000, True), (1500, True), (1501, False)])
def test_bytes_that_the_server_had_were_sent(server, agrees):
    found = rows(
        [attempt(sent_bytes=1500), finished(1000)],
        **{f'upswarm_received_bytes_total{{route="{CHUNKS}"}}': server},
    )
    assert found == {"bytes received": (1500, server, agrees)}


@pytest.mark.parametrize(("server", "agrees"), [(1, False), (2, True), (3, True), (4, False)])
def test_a_file_may_stand_whose_client_was_not_told(server, agrees):
    assert rows([finished(), finished(), failed()], upswarm_files=server) == {"files": (2, server, agrees)}
