"""`target.embedded`: what the embedded server is told, and what is said where that makes no sense."""

from __future__ import annotations

import json

import pytest

from upswarm.errors import Finding, ScenarioError
from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.model import Scenario
from upswarm_server.fault_rules import read_rules
from upswarm_server.settings import Settings

EVERY_KIND = """
    - {phase: any, share: 5%, delay_s: {lognormal: {median: 0.05, sigma: 1}}, max_delay_s: 2}
    - {phase: chunk, share: 0.1, status: 503, retry_after_s: 1}
    - {phase: finalize, share: 1, cut: request, body_share: 0.25, by: close}
"""


def scenario(embedded: str, seed: int = 0) -> Scenario:
    return parse(f"seed: {seed}\ntarget:\n  embedded: {embedded}\n", "s.yaml", {})


def findings(text: str) -> list[Finding]:
    with pytest.raises(ScenarioError) as raised:
        parse(text, "s.yaml", {})
    return raised.value.findings


def environ(read: Scenario) -> dict[str, str]:
    assert read.target.embedded is not None
    return read.target.embedded.environ(read.seed)


def test_rules_reach_the_server_as_they_are_written() -> None:
    read = scenario(f"\n    faults: {EVERY_KIND}")
    rules = Settings.from_environ(environ(read)).faults
    assert rules == read_rules(json.dumps([
        {"phase": "any", "share": 0.05, "delay_s": {"lognormal": {"median": 0.05, "sigma": 1}}, "max_delay_s": 2},
        {"phase": "chunk", "share": "10%", "status": 503, "retry_after_s": 1},
        {"phase": "finalize", "share": 1, "cut": "request", "body_share": 0.25, "by": "close"},
    ]))  # fmt: skip


def test_the_server_takes_every_setting() -> None:
    settings = Settings.from_environ(environ(scenario("{workers: 3, upload_lifetime: 1500ms}")))
    assert (settings.workers, settings.upload_lifetime_s) == (3, 1.5)


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1, 2**63, 10**30])
def test_the_seed_of_the_scenario_draws_the_faults(seed: int) -> None:
    read = scenario("{faults: [{phase: any, share: 1%, status: 500}]}", seed)
    assert Settings.from_environ(environ(read)).faults_seed == seed % 2**63


def test_what_the_scenario_does_not_say_is_left_to_the_environment() -> None:
    assert environ(scenario("{}", seed=7)) == {}


def test_workers_get_rules_that_they_need_not_have_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = scenario(f"\n    faults: {EVERY_KIND}")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert resolve(read.resolved()) == read


def test_every_mistake_in_a_rule_stands_at_its_place() -> None:
    text = """\
target:
  embedded:
    faults:
      - {phase: chunk, share: 2%, status: 503}
      - {phase: chunks, share: 200%, staus: 503}
      - {share: 1, status: 418, retry_after_s: soon}
"""
    assert [(each.line, each.column, each.key, each.message.partition(",")[0]) for each in findings(text)] == [
        (5, 9, "target.embedded.faults[1]", "expected exactly one of status"),
        (5, 17, "target.embedded.faults[1].phase", "expected one of init"),
        (5, 32, "target.embedded.faults[1].share", "expected a share such as 30% or 0.3"),
        (5, 45, "target.embedded.faults[1].staus", "expected a key that rules have"),
        (6, 9, "target.embedded.faults[2]", "phase: expected one of init"),
        (6, 28, "target.embedded.faults[2].status", "expected one of 429"),
        (6, 48, "target.embedded.faults[2].retry_after_s", "expected whole seconds from 0 to 3600"),
    ]


@pytest.mark.parametrize("value", [".nan", ".inf", "2026-01-01", "[]", "{a: 1}", "''"])
def test_what_json_has_no_word_for_is_a_mistake_too(value: str) -> None:
    (found,) = findings(f"target: {{embedded: {{faults: [{{phase: any, share: 1, delay_s: {value}}}]}}}}")
    assert found.key == "target.embedded.faults[0].delay_s"
    assert found.message.startswith("expected ")


def test_a_server_that_can_t_be_asked_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upswarm.scenario.embedded._CHECK", ("-m", "upswarm_server.nowhere"))
    (found,) = findings("target: {embedded: {faults: [{phase: any, share: 1, status: 500}]}}")
    assert found.key == "target.embedded.faults"
    assert found.message.startswith("can't be checked by the server: ")


def test_a_server_of_one_s_own_is_not_started_by_a_scenario() -> None:
    (found,) = findings("target:\n  url: http://h:1\n  embedded: {workers: 1}\n")
    assert (found.line, found.column, found.key) == (3, 13, "target.embedded")
    assert found.message == "expected only where target.url is `embedded`, found it with http://h:1"


@pytest.mark.parametrize(
    ("embedded", "key", "message"),
    [
        ("{workers: 0}", "target.embedded.workers", "expected at least 1, found 0"),
        ("{upload_lifetime: 0s}", "target.embedded.upload_lifetime", "expected more than 0, found '0s'"),
        ("{faults: {}}", "target.embedded.faults", "expected a list, found a mapping"),
        ("{faults: [503]}", "target.embedded.faults[0]", "expected a mapping, found 503"),
    ],
)
def test_a_wrong_value_is_told_what_was_expected(embedded: str, key: str, message: str) -> None:
    (found,) = findings(f"target: {{embedded: {embedded}}}")
    assert (found.key, found.message) == (key, message)
