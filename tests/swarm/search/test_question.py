"""What is no question is refused in a sentence before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from upswarm.errors import UsageError
from upswarm.results.steps import By
from upswarm.scenario import library
from upswarm.scenario.loader import load
from upswarm.swarm.plan import Plan
from upswarm.swarm.search.question import Question, ask
from upswarm.workload.kinds import Override

SCENARIO = """\
name: ours
target: http://127.0.0.1:9
workload: {workload}
thresholds: [upload.failed count == 0, chunk.response_time p95 < 1s]
"""
USERS = "{users: {stages: [{to: 2, over: 0s}, {hold: 2s}]}}"
ARRIVALS = "{arrivals: {stages: [{rate: 5/s, hold: 2s}]}}"
ITERATIONS = "{iterations: {count: 9}}"
USUAL: dict[str, Any] = {
    "until": (), "by": None, "least": None, "most": None, "precision_ratio": 0.05, "step_s": 20.0,
    "budget_s": 600.0, "target": None, "processes": None, "reports": Path("reports"),
}  # fmt: skip


@pytest.fixture
def asked(tmp_path: Path):
    def question(workload: str = USERS, **wishes: Any) -> Question:
        path = tmp_path / "ours.yaml"
        path.write_text(SCENARIO.replace("{workload}", workload))
        return ask(str(path), **(USUAL | wishes))

    return question


def test_without_until_the_scenarios_thresholds_are_the_objectives(asked) -> None:
    assert [each.text for each in asked().objectives] == ["upload.failed count == 0", "chunk.response_time p95 < 1s"]
    assert [each.text for each in asked(until=["goodput mean > 1MB/s"]).objectives] == ["goodput mean > 1MB/s"]


def test_loads_are_counted_as_the_scenario_counts_them(asked) -> None:
    by_users, by_arrivals = asked(), asked(ARRIVALS)
    assert (by_users.by, by_users.bounds.least, by_users.bounds.most, by_users.bounds.whole) == (
        By.USERS,
        1,
        10000,
        True,
    )
    assert (by_arrivals.by, by_arrivals.bounds.least, by_arrivals.bounds.whole) == (By.ARRIVALS, 1, False)


def test_a_closed_load_can_be_asked_for_arrivals(asked) -> None:
    question = asked(by="arrivals", least="30/m", most="12.5/s")
    assert (question.by, question.bounds.least, question.bounds.most) == (By.ARRIVALS, 0.5, 12.5)


def test_what_is_for_the_runs_is_passed_on(asked) -> None:
    question = asked(target="http://127.0.0.1:1", processes=2)
    assert question.options == ("--target", "http://127.0.0.1:1", "--processes", "2")
    assert (question.target, asked().target) == ("http://127.0.0.1:1", "http://127.0.0.1:9")
    assert asked(digest=None, chunk_size="1MiB").options == ("--chunk-size=1MiB",)


def test_steps_last_whole_seconds(asked) -> None:
    assert asked(step_s=2.4).step_s == 3


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"until": ["chunk.response_tme p99 < 1s"]}, r"--until: .*, found 'chunk.response_tme'\n  did you mean"),
        ({"until": ["chunk.response_time p99 < 5"]}, "--until: expected a duration such as 200ms, 30s or 2m"),
        ({"until": ["chunk.service_time p99 < 5s"]}, "--until: expected a metric that is kept by interval"),
        ({"least": "2.5"}, "--min, --max: expected a whole number of users, found '2.5'"),
        ({"least": "0"}, "--min, --max: expected a smallest load above 0"),
        ({"least": "9", "most": "8"}, "no larger than the largest, 8; found 9"),
        ({"by": "arrivals", "least": "5"}, "expected a rate such as 200/s or 30/m, found '5'\n  loads are counted by"),
        ({"step_s": 1.0}, "expected steps of at least 2s, found 1.00 s"),
        ({"budget_s": 21.0}, "expected a budget in which a step fits, about 22.0 s, found 21.0 s"),
        ({"precision_ratio": 0.0}, "^expected a --precision above 0, found 0\n"),
        ({"digest": "md5"}, "^--digest: expected 'none', 'crc32c' or 'sha256', found 'md5'"),
        ({"target": "nonsense"}, "^target: expected `embedded` or a URL"),
        ({"workload": ARRIVALS, "by": "users"}, "expected no number of users"),
        ({"workload": ITERATIONS, "by": "arrivals"}, "expected no rate, for this scenario is so many uploads"),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(asked, wishes, message) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        asked(**wishes)
    assert refused.value.exit_code == 2


def test_a_threshold_that_can_not_be_searched_by_is_not_called_a_wish() -> None:
    with pytest.raises(
        UsageError, match=r"^the scenario's thresholds: .*found arrivals.dropped .*\n  say with --until"
    ):
        ask("arrivals", **USUAL)


def test_another_target_is_refused_where_the_scenario_says_how_the_embedded_one_is_started() -> None:
    with pytest.raises(UsageError, match=r"expected the target `embedded`, .* found http://127.0.0.1:9"):
        ask("flaky-network", **(USUAL | {"target": "http://127.0.0.1:9"}))


def test_a_wished_rate_reaches_the_workers() -> None:
    wish = Override(rate_per_s=0.5, duration_s=10.0)
    plan = Plan.of("run", load(library.find("smoke")), "http://127.0.0.1:9", wish)
    assert plan.workload.schedule.count == 5
    assert Plan.of_document(plan.to_document()).workload == plan.workload


def test_a_drill_is_no_load_to_search(tmp_path: Path) -> None:
    path = tmp_path / "drill.yaml"
    path.write_text("drill: {random: {}}\n")
    with pytest.raises(UsageError, match="expected a scenario without a drill"):
        ask(str(path), **USUAL)
