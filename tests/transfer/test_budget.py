"""Retries as a share of requests: the bucket alone, and in an exchange."""

import pytest

from tests.protocols.chunked_server import ChunkedServer, reply
from tests.transfer.lab import CUT, Lab
from tests.transfer.test_exchange import step
from upswarm.transfer.budget import RESERVE, RetryBudget
from upswarm.transfer.failures import Failure, Fault, Interrupted
from upswarm.transfer.habits import Habits, Interrupt, Spread
from upswarm.transfer.messages import Phase, Request
from upswarm.transfer.records import End

OK, BUSY = reply(200), reply(503)


def spent(ratio=0.0):
    budget = RetryBudget(ratio)
    while budget.spend():
        pass
    return budget


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 1.0])
def test_retries_are_at_most_the_share_of_requests_and_the_reserve(ratio):
    budget = RetryBudget(ratio)
    granted = 0
    for _ in range(1000):
        budget.earn()
        granted += sum(budget.spend() for _ in range(4))
    assert ratio * 1000 - 1 <= granted <= ratio * 1000 + RESERVE


def test_a_quiet_hour_does_not_pay_for_a_storm():
    budget = RetryBudget(0.5)
    for _ in range(100_000):
        budget.earn()
    assert sum(budget.spend() for _ in range(1000)) == RESERVE


def test_a_spent_budget_lets_a_busy_answer_fail_at_once_and_says_so():
    lab = Lab([BUSY], budget=spent())
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    assert [(attempt.failure, attempt.unretried) for attempt in lab.notebook.attempts] == [(Failure.SERVER_ERROR, True)]
    assert lab.clock.slept_s == []


def test_a_spent_budget_lets_an_unanswered_request_fail_at_once_and_says_so():
    lab = Lab([CUT], budget=spent())
    with pytest.raises(Interrupted) as raised:
        lab.exchange.drive(step())
    assert raised.value.unretried
    assert [attempt.unretried for attempt in lab.notebook.attempts] == [True]


def test_a_spent_budget_lets_a_late_refusal_fail_at_once_and_says_so():
    def flow():
        yield Request(Phase.FINALIZE, "POST", "/x")
        raise Fault(Failure.THROTTLED, status=200)

    lab = Lab([OK], budget=spent())
    with pytest.raises(Fault):
        lab.exchange.perform(flow)
    assert [attempt.unretried for attempt in lab.notebook.attempts] == [True]


def test_what_would_not_have_been_retried_anyway_is_not_counted():
    lab = Lab([reply(404), OK, *[BUSY] * 4], budget=RetryBudget(0.0))
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    lab.exchange.drive(step())
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    assert not any(attempt.unretried for attempt in lab.notebook.attempts), "the last of four attempts ends by itself"


def test_requests_earn_what_retries_spend():
    budget = spent(0.4)
    lab = Lab([OK, OK, BUSY, OK, BUSY], budget=budget)
    for _ in range(3):
        lab.exchange.drive(step())
    with pytest.raises(Fault):
        lab.exchange.drive(step())
    assert [attempt.number for attempt in lab.notebook.attempts] == [1, 1, 1, 2, 1]


def test_a_cut_chunk_is_not_probed_when_the_budget_is_spent():
    init = reply(201, {"upload_id": "u1", "chunk_size_bytes": 1000})
    lab = Lab([init, CUT], budget=spent())
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, lab.steps) == (End.FAILED, Failure.TORN, ["init", "chunk 0"])
    assert lab.notebook.attempts[-1].unretried


def test_a_cut_on_purpose_asks_for_nothing_of_the_budget():
    budget = RetryBudget(0.0)
    lids = Habits(Interrupt(1.0, Spread(0.5, 0.5), Spread(1.0, 1.0)))
    assert Lab(ChunkedServer(), habits=lids, budget=budget).upload(number=1).end is End.FINISHED
    assert sum(budget.spend() for _ in range(100)) == RESERVE
    lab = Lab(ChunkedServer(), habits=lids, budget=budget)
    assert lab.upload(number=1).end is End.FINISHED
    assert not any(attempt.unretried for attempt in lab.notebook.attempts)
