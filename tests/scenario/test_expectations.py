"""Names of classes, thresholds on them, warm-ups, baselines, and thresholds that end a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from upswarm.errors import ScenarioError, UsageError
from upswarm.results.thresholds import Needs
from upswarm.scenario.expectations import check_warm_up
from upswarm.scenario.loader import parse, resolve

TWO = "files: [{name: large, size: 9MiB}, {name: small, size: 1KiB}]\n"


def mistakes(text: str, source: str = "s.yaml") -> list[tuple[str, str, str]]:
    with pytest.raises(ScenarioError) as raised:
        parse(text, source, {})
    return [(each.key, each.message, each.hint) for each in raised.value.findings]


def test_classes_are_called_by_their_names_or_places_and_one_alone_needs_none() -> None:
    assert parse("files: [1MiB]", "s.yaml").class_names == ("",)
    assert parse("files: [{name: only, size: 1MiB}]", "s.yaml").class_names == ("only",)
    three = parse("files: [1MiB, {name: big, size: 9MiB}, 2MiB]", "s.yaml")
    assert three.class_names == ("1", "big", "3")
    assert [each.name for each in three.build_mix().classes] == ["1", "big", "3"]
    assert {three.build_mix().draw(number).file_class for number in range(50)} == {"1", "big", "3"}


def test_two_classes_of_one_name_are_a_mistake_and_each_is_none() -> None:
    (twice,) = mistakes("files: [{name: a, size: 1MiB}, {name: a, size: 2MiB}]")
    assert twice[:2] == ("files[1].name", "expected a name that no other class has, found 'a'")
    (place,) = mistakes("files: [{name: '2', size: 1MiB}, 2MiB]")
    assert place[1] == "expected a name that no other class has, found '2'"
    assert mistakes("files: [{name: each, size: 1MiB}]")[0][0] == "files[0].name"


def test_a_class_that_is_none_is_a_mistake_with_the_nearest_name() -> None:
    (found,) = mistakes(TWO + 'thresholds: [upload.failed count == 0, "chunk.failed{class=lagre} rate < 1%"]')
    assert found == (
        "thresholds[1]",
        "expected one of large, small or each as the class, found 'lagre'",
        'did you mean "large"?',
    )
    (alone,) = mistakes('thresholds: [{expect: "chunk.failed{class=each} rate < 1%"}]')
    assert alone[1:] == ("expected no {class=each}, for the one class of files has no name", "give it a name")


def test_a_threshold_may_be_a_mapping_and_comes_back_as_one() -> None:
    text = TWO + (
        'thresholds: ["chunk.failed{class=each}   rate<1%", '
        "{expect: chunk.failed rate over last 9s < 5%, abort: true, after: 10s}, {expect: goodput mean > 1MiB/s}]"
    )
    scenario = parse(text, "s.yaml")
    lines = ("chunk.failed{class=each} rate < 1%", "chunk.failed rate over last 9s < 5%", "goodput mean > 1MiB/s")
    assert scenario.threshold_lines == lines
    assert [each.text for each in scenario.build_thresholds()] == list(lines)
    assert [(each.threshold.text, each.after_s) for each in scenario.build_aborts()] == [(lines[1], 10.0)]
    assert scenario.needs() == Needs(window_s=9.0)
    again = resolve(scenario.resolved())
    assert again.thresholds == scenario.thresholds


@pytest.mark.parametrize(
    ("entry", "place", "message"),
    [
        ("{expect: chunk.failed rate < 5}", "thresholds[0].expect", "expected a share"),
        ("{expect: upload.failed count == 0, after: 3s}", "thresholds[0]", "expected abort: true beside after"),
        ("{expect: upload.failed count == 0, abrt: true}", "thresholds[0].abrt", "is no key of thresholds[0]"),
        ("{abort: true}", "thresholds[0].expect", "is missing, but needed"),
        ("7", "thresholds[0]", "expected a threshold, or {expect: THRESHOLD, abort: true}, found 7"),
    ],
)
def test_what_is_no_threshold_is_said_at_its_place(entry: str, place: str, message: str) -> None:
    (found,) = mistakes(f"thresholds: [{entry}]")
    assert found[0] == place
    assert message in found[1]


def test_a_warm_up_is_shorter_than_the_run() -> None:
    users = "workload: {users: {stages: [{to: 2, over: 1s}, {hold: 8s}]}}\n"
    assert parse(users + "warm_up: 8s", "s.yaml").warm_up == 8.0
    (found,) = mistakes(users + "warm_up: 9s")
    assert found[:2] == ("warm_up", "expected a warm-up shorter than the run of 9.00 s, found 9.00 s")
    assert mistakes("workload: {arrivals: {stages: [{rate: 5/s, hold: 5s}]}}\nwarm_up: 6s")[0][0] == "warm_up"
    scenario = parse("workload: {iterations: {count: 3}}\nwarm_up: 1h", "s.yaml")
    check_warm_up(scenario.warm_up, scenario.build_workload())  # nobody knows how long that takes
    with pytest.raises(UsageError, match=r"warm_up: expected a warm-up shorter than the run of 10.0 s, found 10.0 s"):
        check_warm_up(10.0, parse("", "s.yaml").build_workload())


def test_a_baseline_is_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    source = str(tmp_path / "s.yaml")
    (found,) = mistakes("baseline: before", source)
    assert found[:2] == (
        "baseline", f"expected a run file, or the folder of one, found none at {tmp_path / 'before'}",
    )  # fmt: skip
    (tmp_path / "before" / "run.json").write_text("{}")
    for path in ("before", "before/run.json"):
        scenario = parse(f"baseline: {path}", source)
        assert scenario.baseline == str(tmp_path / path)
        assert resolve(scenario.resolved()).baseline == scenario.baseline


def test_a_workload_may_allow_a_saturated_generator() -> None:
    scenario = parse("workload: {allow_saturated_generator: true}", "s.yaml")
    assert scenario.workload.users is not None
    assert scenario.workload.allow_saturated_generator
    assert not parse("", "s.yaml").workload.allow_saturated_generator
