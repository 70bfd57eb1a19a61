"""What the master says to whom when workers come and go, and what it tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upswarm.scenario.loader import resolve
from upswarm.swarm.plan import Plan
from upswarm.swarm.workers.crew import Crew
from upswarm.swarm.workers.wire import GIVE, GO, PLAN, RETIRE, TAKE, Wire

COUNTED = {"iterations": {"count": 100, "users": 4}}
ARRIVALS = {"arrivals": {"stages": [{"rate": "10/s", "hold": "10s"}], "max_in_flight": 4}}
PEOPLE = {"users": {"stages": [{"to": 4, "over": "0s"}, {"hold": "10s"}]}}


class Written(Wire):
    """A wire that keeps what was said instead of sending it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, dict[str, Any]]] = []

    def send(self, kind: str, document: Mapping[str, Any], worker_id: str) -> None:
        self.said.append((kind, worker_id, dict(document)))

    def heard_by(self, worker_id: str, kind: str) -> list[dict[str, Any]]:
        return [document for said, to, document in self.said if (said, to) == (kind, worker_id)]


def crew_of(workload: dict[str, Any], *worker_ids: str) -> tuple[Crew, Written, list[str]]:
    plan, wire, notes = Plan.of("run-1", resolve({"workload": workload}), "http://h:1"), Written(), []
    return Crew(wire, plan, list(worker_ids), 50.0, notes.append), wire, notes


def given(count: int, following: list[int], to: str) -> dict[str, Any]:
    return {"run_id": "run-1", "count": count, "to": to, "following": following}


def test_each_worker_hears_the_plan_and_its_part_before_the_run_goes() -> None:
    crew, wire, _ = crew_of(COUNTED, "a", "b")
    crew.go(60.0)
    crew.go(70.0)  # Locust says so with each change of the users
    for index, worker_id in enumerate("ab"):
        (plan,) = wire.heard_by(worker_id, PLAN)
        assert (plan["share"], plan["slots"], plan["started_s"]) == ([index, 2], 4, 50.0)
        assert [go["zero_s"] for go in wire.heard_by(worker_id, GO)] == [60.0]


def test_who_joins_gets_what_the_others_give() -> None:
    crew, wire, notes = crew_of(COUNTED, "a")
    crew.go(60.0)
    crew.join("b")
    assert wire.heard_by("b", PLAN)[0]["share"] is None
    assert wire.heard_by("b", GO)[0]["zero_s"] == 60.0
    assert [ask["count"] for ask in wire.heard_by("a", GIVE)] == [2]
    crew.given("a", given(2, [6, 7], "b"))
    assert wire.heard_by("b", TAKE)[0]["following"] == [6, 7]
    assert notes == ["worker b joined: from then on 2 workers shared the load"]


def test_uploads_are_used_up_only_when_nothing_is_on_its_way_any_more() -> None:
    crew, _, _ = crew_of(COUNTED, "a")
    crew.join("b")
    crew.note_used_up("b", {"run_id": "run-1", "handed": 0})
    crew.note_used_up("a", {"run_id": "run-1", "handed": 0})
    assert not crew.used_up, "a has been asked for slots"
    crew.given("a", given(2, [98, 99], "b"))
    assert not crew.used_up, "b has been handed some since it said so"
    crew.note_used_up("b", {"run_id": "another", "handed": 1})
    assert not crew.used_up
    crew.note_used_up("b", {"run_id": "run-1", "handed": 1})
    assert crew.used_up


def test_counted_uploads_of_a_lost_worker_go_on_from_its_last_report() -> None:
    crew, wire, notes = crew_of(COUNTED, "a", "b")
    crew.lose("a", [8, 10], 80.0)
    assert wire.heard_by("b", TAKE)[0]["following"] == [8, 10]
    assert wire.heard_by("a", RETIRE)
    assert (crew.worker_ids, crew.gone) == (["b"], {"a"})
    assert notes == ["worker a was lost: from then on one worker had the whole load"]


def test_arrivals_of_a_lost_worker_go_on_with_those_that_are_still_to_come() -> None:
    """Ten a second: three seconds after the schedule's beginning numbers 0 to 29 have been due."""
    crew, wire, notes = crew_of(ARRIVALS, "a", "b")
    crew.go(60.0)
    crew.lose("a", [20, 22], 62.95)
    assert wire.heard_by("b", TAKE)[0]["following"] == [30, 32]
    assert notes[0].endswith("; what became of 5 arrivals that were due there meanwhile is not known")


def test_files_of_a_closed_load_are_not_missed() -> None:
    crew, wire, _ = crew_of(PEOPLE, "a", "b")
    crew.lose("a", [], 62.0)
    assert wire.heard_by("b", TAKE) == []


def test_what_a_worker_gave_for_somebody_who_has_gone_is_for_whoever_is_left() -> None:
    crew, wire, _ = crew_of(COUNTED, "a")
    crew.join("b")
    crew.leave("b", [])
    crew.given("a", given(2, [6, 7], "b"))
    assert wire.heard_by("a", TAKE)[0]["following"] == [6, 7]


def test_the_last_one_may_go_and_the_next_one_goes_on() -> None:
    crew, wire, _ = crew_of(COUNTED, "a")
    crew.leave("a", [4, 5, 6, 7])
    crew.join("b")
    assert wire.heard_by("b", TAKE)[0]["following"] == [4, 5, 6, 7]


def test_what_is_handed_to_a_worker_that_has_said_its_last_word_is_for_others() -> None:
    crew, wire, _ = crew_of(ARRIVALS, "a", "b", "c")
    crew.leave("a", [8, 11])
    (taken,) = wire.heard_by("b", TAKE)
    crew.leave("b", [9])
    handed = [number for each in wire.heard_by("c", TAKE) for number in each["following"]]
    assert (taken["following"], sorted(handed)) == ([8], [8, 9, 11])


def test_uploads_are_not_used_up_because_nobody_is_left_to_make_them() -> None:
    crew, _, _ = crew_of(COUNTED, "a")
    crew.leave("a", [4, 5, 6, 7])
    assert not crew.used_up


def test_a_lost_worker_that_is_heard_of_again_is_told_again_to_leave() -> None:
    crew, wire, _ = crew_of(COUNTED, "a", "b")
    crew.remind("a")
    crew.lose("a", [], 80.0)
    crew.remind("a")
    crew.remind("b")
    assert (len(wire.heard_by("a", RETIRE)), len(wire.heard_by("b", RETIRE))) == (2, 0)
