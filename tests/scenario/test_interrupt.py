"""`transfer.interrupt`, `transfer.abort` and `transfer.retry.budget`: what they come to, and what is refused."""

from __future__ import annotations

import pytest

from upswarm.errors import ScenarioError
from upswarm.scenario.forecast import Forecast
from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.model import Scenario
from upswarm.transfer.habits import UNDISTURBED, Habits, Interrupt, Spread


def scenario(transfer: str) -> Scenario:
    return parse(f"seed: 9\ntransfer: {transfer}\n", "s.yaml", {})


def habits(transfer: str) -> Habits:
    return scenario(transfer).transfer.build(seed=9).habits


def test_without_a_word_nobody_does_anything() -> None:
    assert scenario("{}").transfer.build().habits == UNDISTURBED
    assert scenario("{}").transfer.build().retry.budget_ratio is None


def test_people_close_lids_and_come_back() -> None:
    written = "{interrupt: {share: 30%, after: {uniform: [10%, 90%]}, resume_in: {uniform: [1s, 20s]}}, abort: 5%}"
    assert habits(written) == Habits(Interrupt(0.3, Spread(0.1, 0.9), Spread(1.0, 20.0)), 0.05, seed=9)


def test_a_share_alone_is_a_whole_interruption_with_the_usual_rest() -> None:
    assert habits("{interrupt: 0.3}") == habits("{interrupt: {share: 30%}}")
    assert habits("{interrupt: 30%}").interrupt == Interrupt(0.3, Spread(0.1, 0.9), Spread(1.0, 20.0))


def test_a_value_alone_is_the_same_for_all() -> None:
    interrupt = habits("{interrupt: {share: 1%, after: 50%, resume_in: 3s, resume_on: another_worker}}").interrupt
    assert interrupt == Interrupt(0.01, Spread(0.5, 0.5), Spread(3.0, 3.0), moves=True)


def test_a_budget_is_a_share_of_the_requests() -> None:
    assert scenario("{retry: {budget: 20%}}").transfer.build().retry.budget_ratio == 0.2


@pytest.mark.parametrize(
    "written", ["{interrupt: 33%, abort: 0.7%, retry: {budget: 12.5%}}", "{interrupt: {share: 0%}}"]
)
def test_what_workers_get_is_what_was_written(written: str) -> None:
    before = scenario(written)
    assert resolve(before.resolved()) == before


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("{interrupt: {after: 5%}}", "transfer.interrupt.share", "is missing, but needed"),
        ("{interrupt: {share: 30}}", "transfer.interrupt.share", "expected a share such as 30% or 0.3, found 30"),
        ("{interrupt: {share: 3%, after: {uniform: [9%, 1%]}}}", "transfer.interrupt.after",
         "expected the smaller share first"),
        ("{interrupt: {share: 3%, after: 5s}}", "transfer.interrupt.after",
         "expected a share such as 30% or 0.3, found '5s'"),
        ("{interrupt: {share: 3%, resume_in: {uniform: [9s, 1s]}}}", "transfer.interrupt.resume_in",
         "expected the shorter time first"),
        ("{interrupt: {share: 3%, resume_in: {fixed: 1s, uniform: [1s, 2s]}}}", "transfer.interrupt.resume_in",
         "expected exactly one of fixed, uniform, found fixed and uniform"),
        ("{interrupt: {share: 3%, resume_on: nobody}}", "transfer.interrupt.resume_on",
         "expected 'same_worker' or 'another_worker', found 'nobody'"),
        ("{abort: 101%}", "transfer.abort", "expected a share such as 30% or 0.3, found '101%'"),
        ("{retry: {budget: -1%}}", "transfer.retry.budget", "expected a share such as 30% or 0.3, found '-1%'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(written: str, place: str, message: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        scenario(written)
    (finding,) = raised.value.findings
    assert (finding.key, finding.message) == (place, message)


def test_a_forecast_tells_what_people_will_do() -> None:
    planned = scenario("{interrupt: {share: 30%, resume_in: 3s, resume_on: another_worker}, abort: 5%}")
    lines = list(Forecast.of(planned, planned.build_workload()).lines())
    assert "cut       30 % of the uploads after 10 % to 90 % of their bytes, for 3.00 s, at another worker" in lines
    assert "given up  5 % of the uploads, anywhere on the way" in lines
    assert not [
        line for line in Forecast.of(scenario("{}"), planned.build_workload()).lines() if line.startswith("cut")
    ]
