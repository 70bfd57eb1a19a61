"""Which moments of a run its charts mark."""

from __future__ import annotations

from upswarm.results.marks import Mark, MarkKind
from upswarm.swarm.marking import marks_of
from upswarm.workload.kinds import ClosedLoad
from upswarm.workload.stages import Stage, Stages

LOAD = ClosedLoad(Stages((Stage(5, 10), Stage(10), Stage(5, 0))))
KILLED = Mark(8.0, MarkKind.FAULT, "the server was killed (SIGKILL)", 9.0)


def test_what_was_noted_and_what_was_planned_stand_in_order() -> None:
    told = marks_of(LOAD, [KILLED], elapsed_s=20.2, warm_up_s=6.0)
    assert [(mark.at_s, mark.kind.value, mark.sentence) for mark in told] == [
        (5, "stage", "10 users, held"),
        (6, "stage", "the warm-up is over"),
        (8, "fault", "the server was killed (SIGKILL)"),
        (15, "stage", "the users fall to 0"),
    ]


def test_what_was_planned_for_later_than_the_end_did_not_happen() -> None:
    assert marks_of(LOAD, [], elapsed_s=4.9, warm_up_s=5.0) == []


def test_a_change_by_hand_is_one_mark_and_not_two() -> None:
    by_hand = Mark(7.004, MarkKind.NOTE, "somebody changed the number of users to 20")
    told = marks_of(LOAD.edited(7.0, 20, 5.0), [by_hand], elapsed_s=20.0)
    assert [mark.sentence for mark in told] == ["10 users, held", by_hand.sentence, "20 users, held"]
