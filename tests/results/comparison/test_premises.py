from dataclasses import replace

from tests.results.comparison.comparisons import named, pair
from upswarm.results.comparison.premises import Difference, circumstances, scenario_differences
from upswarm.results.measurements import Measurements

RUN = named(Measurements())


def with_scenario(**rooms):
    return replace(RUN, scenario=rooms)


def test_a_scenario_is_compared_key_by_key_in_the_order_of_its_rooms():
    one = with_scenario(
        name="a", target={"url": "http://x"}, transfer={"retry": {"attempts": 3}}, thresholds=["a", "b"]
    )
    two = with_scenario(name="a", target={"url": "http://y", "tls": True}, transfer={"retry": {"attempts": 5}},
                        thresholds=["a"])  # fmt: skip
    assert scenario_differences(*pair(one, two)) == [
        Difference("target.tls", "–", "true"),
        Difference("transfer.retry.attempts", "3", "5"),
        Difference("thresholds[1]", "b", "–"),
    ]


def test_equal_scenarios_have_no_differences():
    assert scenario_differences(*pair(RUN, RUN)) == []
    assert circumstances(*pair(RUN, RUN)) == []


def test_runs_of_one_side_that_differ_among_themselves_are_named():
    runs = [with_scenario(seed=1), with_scenario(seed=2)]
    assert scenario_differences(*pair(runs, runs)) == [Difference("seed", "1, 2", "1, 2")]


def test_machine_target_and_workers_are_compared():
    other = replace(
        RUN, target="http://elsewhere", machine=replace(RUN.machine, cpus=64, upswarm="0.2.0"), elapsed_s=20.0
    )
    found = circumstances(*pair(RUN, other))
    assert [each.key for each in found] == ["target", "CPUs", "upswarm", "took"]
    assert found[1] == Difference("CPUs", "2", "64")


def test_two_servers_that_were_started_for_their_runs_alone_are_one_target():
    one, two = (
        replace(RUN, target=f"http://127.0.0.1:{port}", scenario={"target": {"url": "embedded"}}) for port in (1, 2)
    )
    assert circumstances(*pair(one, two)) == []
    assert circumstances(*pair(one, replace(RUN, target="http://x"))) == [Difference("target", "embedded", "http://x")]


def test_a_little_longer_is_no_difference():
    assert circumstances(*pair(RUN, replace(RUN, elapsed_s=10.25))) == []
