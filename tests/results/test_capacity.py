from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.reports.capacity.capacities import LIMIT, capacity, found, generator, nothing, silent, step
from tests.results.runs import run_of, series, with_failures
from upswarm.errors import UsageError
from upswarm.results.capacity import CAPACITY_FILE, Capacity, End
from upswarm.results.generator import Health
from upswarm.results.objectives import parse
from upswarm.results.run_file import WorkerRecord
from upswarm.results.steps import By, Step, Verdict
from upswarm.results.thresholds import Verdict as Outcome

WANTED = (parse("chunk.response_time p99 < 400ms"), parse("upload.failed count == 0"))


def stepped(measured, wanted=WANTED, faults=()):
    return Step.of(8, run_of(measured, faults), wanted, 10.0)


def dropping(measured, count):
    measured.arrivals.dropped = count
    return measured


def test_a_step_holds_when_all_of_its_objectives_hold():
    seen = stepped(series(lambda at_s: 0.2))
    assert (seen.verdict, seen.settled, seen.gave_in, seen.strain) == (Verdict.HELD, True, (), ())
    assert (seen.p50_s, seen.p99_s) == (pytest.approx(0.2, rel=0.005),) * 2
    assert seen.goodput_bytes_per_s == pytest.approx(40_000)


def test_a_step_names_the_objectives_that_broke():
    seen = stepped(series(lambda at_s: 0.5))
    assert seen.verdict is Verdict.BROKEN
    assert [each.objective for each in seen.gave_in] == [LIMIT]


def test_a_queue_that_grows_gives_in_and_one_that_is_still_short_is_unclear():
    long, short = (stepped(series(lambda at_s, rate=rate: 0.1 + rate * at_s)) for rate in (1.0, 0.01))
    assert [(each.verdict, each.settled) for each in (long, short)] == [
        (Verdict.BROKEN, False), (Verdict.UNCLEAR, False),
    ]  # fmt: skip
    assert long.p50_s == pytest.approx(7.6, rel=0.02)


def test_dropped_arrivals_hide_no_queue_that_grows():
    assert stepped(dropping(series(lambda at_s: 0.1 + at_s), 9)).verdict is Verdict.BROKEN


@pytest.mark.parametrize("level_s", [0.2, 0.5])
def test_a_run_whose_generator_failed_says_nothing_of_the_target(level_s):
    seen = stepped(series(lambda at_s: level_s), faults=("a worker was lost",))
    assert (seen.verdict, seen.strain) == (Verdict.GENERATOR, ("a worker was lost",))


def test_a_run_that_ended_itself_early_is_broken_by_what_ended_it():
    measured = series(lambda at_s: 0.2, length_s=6.0)
    ended = Outcome("chunk.failed rate < 5%", False, "20 % after 6.0 s", value=0.2, limit=0.05)
    run = replace(run_of(measured), elapsed_s=6.1, aborted_by=ended.threshold, verdicts=(ended,))
    seen = Step.of(8, run, WANTED, 10.0)
    assert seen.verdict is Verdict.BROKEN
    assert [(each.objective, each.observed) for each in seen.gave_in] == [("chunk.failed rate < 5%", "20 %")]
    assert seen.settled, "what came after is no part of it"


LATE = Health(lag_p99_s=0.05, seconds=10)
SATURATED = Health(lag_p99_s=0.05, busy_ratio=0.9, seconds=10)


@pytest.mark.parametrize(
    ("health", "level_s", "verdict"),
    [
        (Health(lag_p99_s=0.001, seconds=10), 0.43, Verdict.BROKEN),
        (LATE, 0.3, Verdict.HELD),
        (LATE, 0.43, Verdict.GENERATOR),
        (LATE, 0.6, Verdict.BROKEN),
        (SATURATED, 0.3, Verdict.GENERATOR),
        (SATURATED, 0.6, Verdict.GENERATOR),
    ],
)
def test_a_late_generator_makes_times_too_long_and_one_without_cpu_time_says_nothing(health, level_s, verdict):
    run = run_of(series(lambda at_s: level_s))
    seen = Step.of(8, replace(run, workers=(WorkerRecord("w1", "host", health=health),)), WANTED, 10.0)
    assert seen.verdict is verdict
    assert [sentence.partition(":")[0] for sentence in seen.strain] == {
        LATE: ["the generator was late"],
        SATURATED: ["the generator was the bottleneck, not the server"],
    }.get(health, [])


def test_dropped_arrivals_make_a_load_lighter_so_what_holds_is_in_doubt_and_what_breaks_is_broken():
    held, broken = (stepped(dropping(series(lambda at_s, s=s: s), 3)) for s in (0.2, 0.5))
    assert (held.verdict, broken.verdict) == (Verdict.GENERATOR, Verdict.BROKEN)
    assert held.strain == ("3 arrivals found no room and were dropped",)


def test_the_times_that_are_shown_are_those_of_the_first_objective_about_times():
    measured = with_failures(series(lambda at_s: 0.2), [4.0])
    seen = stepped(measured, (parse("chunk.failed count < 9"), parse("upload.response_time p50 < 1s")))
    assert seen.p50_s == pytest.approx(0.2, rel=0.005)
    assert capacity(objectives=("goodput mean > 1MB/s", "upload.response_time p50 < 1s")).shown_time == (
        "upload.response_time"
    )
    assert capacity(objectives=("goodput mean > 1MB/s",)).shown_time == "chunk.response_time"


def test_the_highest_load_that_held_and_the_lowest_that_did_not():
    assert (found().held.load, found().gave_in.load) == (42, 44)
    assert found().sentence() == (
        "Holds 42 users (and gives in between 42 and 44): chunk.response_time p99 371 ms (360 ms to 382 ms). At 44 "
        "users it was not clear, which counts as not held: chunk.response_time p99 < 400ms, with 401 ms (389 ms to "
        "413 ms)."
    )


def test_where_the_generator_gave_in_first_the_capacity_is_a_lower_bound():
    assert generator().is_lower_bound
    assert generator().sentence() == (
        "Holds at least 10 arrivals/s: chunk.response_time p99 200 ms (194 ms to 206 ms). At 20 arrivals/s the "
        "generator gave in first: 312 arrivals found no room and were dropped."
    )


def test_a_run_that_could_not_be_is_no_word_about_the_target():
    whole = capacity(step(4), Step.failed(8, "no answer from the target", 20.0))
    assert whole.is_lower_bound
    assert "At 8 users nothing was measured: no answer from the target." in whole.sentence()


def test_nothing_that_settles_is_said():
    whole = capacity(step(4), step(8, Verdict.UNCLEAR, settled=False))
    assert "At 8 users nothing settled, which counts as not held: chunk.response_time p99 < 400ms, with 200 ms" in (
        whole.sentence()
    )


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (End.MOST, "largest load to try (--max)"),
        (End.BUDGET, "time ran out before the search was over (--budget)"),
        (End.CUT_OFF, "search was cut off"),
    ],
)
def test_why_a_search_ended_is_said(end, words):
    whole = capacity(step(4), end=end)
    assert whole.is_lower_bound
    assert words in whole.sentence()


@pytest.mark.parametrize(
    ("whole", "exit_code"),
    [
        (found(), 0),
        (generator(), 0),
        (nothing(), 3),
        (silent(), 5),
        (replace(found(), end=End.CUT_OFF), 5),
        (replace(found(), end=End.BUDGET), 0),
        (capacity(step(1, Verdict.UNCLEAR), end=End.LEAST), 3),
        (capacity(step(1, Verdict.GENERATOR, strain=("x",)), end=End.LEAST), 5),
        (capacity(step(4), end=End.MOST), 0),
    ],
)
def test_the_exit_code_says_what_is_known(whole, exit_code):
    assert whole.exit_code == exit_code


def test_a_capacity_that_was_saved_is_loaded_as_it_was(tmp_path):
    for whole in (found(), generator(), nothing(), silent(), capacity(Step.failed(8, "x", 20.0))):
        path = whole.save(tmp_path)
        assert path.name == CAPACITY_FILE
        assert Capacity.load(path) == Capacity.load(tmp_path) == whole


def test_the_file_says_at_once_what_was_found(tmp_path):
    document = json.loads(found().save(tmp_path).read_text())
    assert {key: document[key] for key in ("holds", "gave_in", "is_lower_bound", "by", "exit_code")} == {
        "holds": 42, "gave_in": 44, "is_lower_bound": False, "by": "users", "exit_code": 0,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 2}'])
def test_what_is_no_capacity_file_is_refused(tmp_path, text):
    (tmp_path / CAPACITY_FILE).write_text(text)
    with pytest.raises(UsageError, match="expected a capacity file, found"):
        Capacity.load(tmp_path)


def test_loads_are_written_in_their_own_unit():
    assert [By.USERS.amount(load) for load in (1, 42.0)] == ["1 user", "42 users"]
    assert By.ARRIVALS.amount(12.5) == "12.5 arrivals/s"
