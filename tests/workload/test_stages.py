import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.stages import Stage, Stages

RAMP_HOLD_FALL = Stages((Stage(10, 20), Stage(30), Stage(10, 0)))
stages = st.builds(
    lambda steps: Stages(tuple(steps)),
    st.lists(
        st.builds(Stage, st.integers(0, 100).map(float), st.one_of(st.none(), st.integers(0, 50))),
        min_size=1,
        max_size=5,
    ),
)


@pytest.mark.parametrize(
    ("elapsed_s", "users"),
    [(0, 0), (1, 2), (5, 10), (9.99, 20), (10, 20), (39.9, 20), (40, 20), (45, 10), (49.9, 0), (50, None), (99, None)],
)
def test_users_follow_the_line(elapsed_s, users):
    assert RAMP_HOLD_FALL.users_at(elapsed_s) == users


def test_a_curve_knows_its_length_its_peak_and_its_area():
    assert RAMP_HOLD_FALL.duration_s == 50
    assert RAMP_HOLD_FALL.peak == 20
    assert RAMP_HOLD_FALL.user_seconds == 100 + 600 + 100


def test_a_stage_without_length_is_a_jump():
    jump = Stages((Stage(0, 7), Stage(10)))
    assert [jump.users_at(t) for t in (0, 9.9, 10)] == [7, 7, None]
    assert jump.user_seconds == 70


def test_no_stages_are_no_run():
    nothing = Stages(())
    assert (nothing.duration_s, nothing.peak, nothing.user_seconds, nothing.users_at(0)) == (0, 0, 0, None)


def test_holding_before_anybody_came_holds_nobody():
    assert Stages((Stage(10),)).users_at(5) == 0


@given(stages, st.floats(0, 500))
def test_there_are_users_exactly_until_the_end(curve, elapsed_s):
    users = curve.users_at(elapsed_s)
    assert (users is None) == (elapsed_s >= curve.duration_s)
    assert users is None or 0 <= users <= curve.peak


@given(stages)
def test_the_curve_has_no_gap_but_where_a_stage_has_no_length(curve):
    ends = list(itertools.accumulate(step.over_s for step in curve.steps))
    for (index, end_s), following in zip(enumerate(ends), curve.steps[1:], strict=False):
        if curve.steps[index].over_s > 0 and following.over_s > 0:
            before, after = curve.users_at(end_s - 1e-6), curve.users_at(end_s)
            assert abs(before - after) <= 1


@given(stages)
def test_the_area_is_what_sampling_the_curve_finds(curve):
    step_s = 0.25
    sampled = sum(curve.users_at(n * step_s + step_s / 2) * step_s for n in range(int(curve.duration_s / step_s)))
    assert sampled == pytest.approx(curve.user_seconds, abs=0.5 * curve.duration_s + 1)


def test_users_replace_the_curve_at_once_or_at_the_spawn_rate():
    assert RAMP_HOLD_FALL.overridden(users=6).users_at(0) == 6
    ramped = RAMP_HOLD_FALL.overridden(users=6, spawn_rate_per_s=2)
    assert [ramped.users_at(t) for t in (0, 1, 2, 3, 49, 50)] == [0, 2, 4, 6, 6, None]


def test_a_ramp_that_does_not_fit_is_cut_and_not_made_steeper():
    cut = RAMP_HOLD_FALL.overridden(users=100, spawn_rate_per_s=1, duration_s=10)
    assert [cut.users_at(t) for t in (0, 5, 9.9, 10)] == [0, 5, 10, None]


def test_without_an_override_nothing_changes():
    assert RAMP_HOLD_FALL.overridden() == RAMP_HOLD_FALL


@pytest.mark.parametrize(("elapsed_s", "users"), [(0, 0), (5, 10), (20, 20), (24.9, 20), (25, None)])
def test_a_shorter_run_cuts_the_curve(elapsed_s, users):
    assert RAMP_HOLD_FALL.overridden(duration_s=25).users_at(elapsed_s) == users


@pytest.mark.parametrize(("elapsed_s", "users"), [(0, 0), (5, 10), (20, 20), (49.9, 0), (70, 0), (80, None)])
def test_a_longer_run_holds_the_last_level(elapsed_s, users):
    assert RAMP_HOLD_FALL.overridden(duration_s=80).users_at(elapsed_s) == users


overrides = st.fixed_dictionaries(
    {
        "users": st.one_of(st.none(), st.integers(0, 100)),
        "spawn_rate_per_s": st.one_of(st.none(), st.floats(0.1, 50)),
        "duration_s": st.one_of(st.none(), st.floats(0, 300)),
    }
)


@given(stages, overrides)
def test_an_overridden_run_lasts_exactly_as_long_as_asked(curve, changes):
    wanted_s = curve.duration_s if changes["duration_s"] is None else changes["duration_s"]
    assert curve.overridden(**changes).duration_s == pytest.approx(wanted_s)


@given(stages, st.floats(0, 300), st.floats(0, 300))
def test_cutting_does_not_change_what_came_before(curve, duration_s, elapsed_s):
    cut = curve.overridden(duration_s=duration_s)
    if elapsed_s < min(duration_s, curve.duration_s):
        assert abs(cut.users_at(elapsed_s) - curve.users_at(elapsed_s)) <= 1


@given(stages, st.integers(1, 100), st.floats(0.1, 50), st.floats(1, 300))
def test_users_never_come_faster_than_the_spawn_rate(curve, users, rate_per_s, duration_s):
    ramped = curve.overridden(users=users, spawn_rate_per_s=rate_per_s, duration_s=duration_s)
    for elapsed_s in (0.0, duration_s / 3, duration_s * 0.999):
        assert ramped.users_at(elapsed_s) <= min(users, rate_per_s * elapsed_s) + 1


def test_a_spawn_rate_alone_leads_to_the_peak():
    ramped = RAMP_HOLD_FALL.overridden(spawn_rate_per_s=4)
    assert [ramped.users_at(t) for t in (0, 1, 5, 49, 50)] == [0, 4, 20, 20, None]


@pytest.mark.parametrize(
    ("elapsed_s", "users", "seen"),
    [
        (5, 40, {4: 8, 5: 10, 6: 20, 8: 40, 49: 40, 50: None}),  # up, in the middle of a ramp
        (20, 5, {19: 20, 20: 20, 21: 10, 22: 5, 45: 5, 50: None}),  # down, in the middle of a hold
        (49, 60, {49: 2, 49.5: 7, 50: None}),  # a ramp that does not fit
    ],
)
def test_users_can_be_changed_on_the_way(elapsed_s, users, seen):
    changed = RAMP_HOLD_FALL.changed_at(elapsed_s, users, 10)
    assert {t: changed.users_at(t) for t in seen} == pytest.approx(seen, abs=0)


@given(stages, st.floats(0, 1), st.integers(1, 100), st.floats(0.1, 50))
def test_a_change_changes_neither_the_length_nor_what_came_before(curve, part, users, rate_per_s):
    elapsed_s = curve.duration_s * part
    changed = curve.changed_at(elapsed_s, users, rate_per_s)
    assert changed.duration_s == pytest.approx(curve.duration_s)
    for before_s in (elapsed_s * 0.3, elapsed_s * 0.9):
        if before_s < elapsed_s:
            assert abs(changed.users_at(before_s) - curve.users_at(before_s)) <= 1
