"""The schedule of a drill: the same seed breaks the same things at the same times, one at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.drill import (
    SUDDEN,
    Act,
    ActKind,
    ByChance,
    Planned,
    Slowness,
    overlapping,
    picked,
    too_late,
)

KINDS = st.lists(st.sampled_from(ActKind), min_size=1, max_size=7).map(tuple)


@st.composite
def chances(draw: st.DrawFn) -> ByChance:
    every_s = draw(st.floats(0.5, 20))
    most_s = draw(st.floats(0.1, every_s))
    least_s = draw(st.floats(0.05, most_s))
    return ByChance(draw(KINDS), every_s, draw(st.floats(0, 5)), (least_s, most_s), Slowness(0.1), draw(st.integers(0)))


@given(chances(), st.floats(0, 200))
def test_chance_breaks_one_thing_at_a_time_and_is_over_in_time(chance: ByChance, until_s: float) -> None:
    acts = chance.acts(until_s)
    assert [(one, other) for one, other in overlapping(acts) if one.until_s - other.at_s > 0.01] == []
    assert too_late(acts, until_s + 0.01) == []  # times are rounded to milliseconds
    assert all(act.at_s >= chance.from_s and (act.for_s == 0) == (act.kind in SUDDEN) for act in acts)


@given(chances(), st.floats(0, 100), st.floats(0, 100))
def test_a_longer_run_begins_with_the_acts_of_a_shorter_one(chance: ByChance, one_s: float, other_s: float) -> None:
    shorter, longer = sorted((chance.acts(one_s), chance.acts(other_s)), key=len)
    assert longer[: len(shorter)] == shorter


def test_another_seed_breaks_other_things() -> None:
    def drawn(seed: int) -> tuple[Act, ...]:
        return ByChance(tuple(ActKind), 4.0, 2.0, (0.5, 1.5), Slowness(0.1), seed).acts(60)

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert len(drawn(1)) == 14


def test_a_list_is_kept_in_the_order_of_its_times() -> None:
    late, early = Act(ActKind.KILL_WORKER, 5), Act(ActKind.STOP_SERVER, 1, 3)
    assert Planned((late, early)).acts(9) == (early, late)


def test_what_begins_when_the_other_ends_does_not_overlap() -> None:
    first = Act(ActKind.STOP_SERVER, 1, 2)
    assert overlapping([first, Act(ActKind.KILL_SERVER, 3, 1)]) == []
    assert len(overlapping([first, Act(ActKind.KILL_SERVER, 2.9, 1)])) == 1


@given(st.floats(0, 1), st.integers(1, 50))
def test_somebody_is_always_picked(pick: float, count: int) -> None:
    assert 0 <= picked(pick, count) < count
