"""Who has an upload while it is handed over: real greenlets, and a post that delivers when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from upswarm.swarm.workers.handover import ANSWER, GRANT, OFFER, WITHDRAW, Handover, Switchboard
from upswarm.transfer.suspended import Log, Suspended

PATIENCE_S = 20


ANSWER_S = 0.05


class Worker:
    """Takes up what it is offered, if it is `willing`; `end` ends the uploads that it has."""

    def __init__(self, post: Post, worker_id: str) -> None:
        self.handover = Handover(lambda kind, data: post.to_master(worker_id, kind, data), self._take_up, ANSWER_S)
        self.willing = True
        self.has: dict[int, Callable[[], None]] = {}

    def _take_up(
        self, run_id: str, suspended: Suspended, granted: Callable[[], bool], ended: Callable[[], None]
    ) -> bool:
        def guest() -> None:
            if granted():
                self.has[suspended.number] = ended

        if self.willing:
            gevent.spawn(guest)
        return self.willing

    def end(self, number: int) -> None:
        self.has.pop(number)()

    def give_away(self, number: int) -> gevent.Greenlet:
        """A user whose upload moves; its value is whether somebody else has told, or will tell, the end."""

        def user() -> bool:
            awaited = self.handover.offer("run", suspended(number))
            if awaited is None:
                return False
            awaited()
            return True

        greenlet = gevent.spawn(user)
        settle()
        return greenlet


class Post:
    """Carries messages as Locust does, through the master; `held` ones wait until they are delivered."""

    def __init__(self, *worker_ids: str) -> None:
        self.workers = {worker_id: Worker(self, worker_id) for worker_id in worker_ids}
        self.switchboard = Switchboard(self.to_worker, lambda: self.workers)
        self.holds_answers = False
        self.held: list[tuple[str, dict[str, Any]]] = []

    def __getitem__(self, worker_id: str) -> Worker:
        return self.workers[worker_id]

    def to_master(self, worker_id: str, kind: str, data: dict[str, Any]) -> None:
        if kind == ANSWER and self.holds_answers:
            self.held.append((worker_id, data))
        else:
            board = self.switchboard
            {OFFER: board.offered, ANSWER: board.answered, WITHDRAW: board.withdrawn}[kind](worker_id, data)

    def to_worker(self, kind: str, data: dict[str, Any], worker_id: str) -> None:
        handover = self.workers[worker_id].handover
        {OFFER: handover.offered, ANSWER: handover.answered, GRANT: handover.granted}[kind](data)

    def deliver(self) -> None:
        self.holds_answers = False
        for worker_id, data in self.held:
            self.to_master(worker_id, ANSWER, data)
        self.held = []
        settle()


def suspended(number: int) -> Suspended:
    return Suspended(number, {"upload_id": "u"}, 3.5, Log(sent_bytes=7, interruptions=1))


def settle() -> None:
    """Until everybody who can go on has done so."""
    for _ in range(3):
        gevent.sleep(0)


def outcome_of(user: gevent.Greenlet) -> bool:
    gevent.joinall([user], timeout=PATIENCE_S, raise_error=True)
    assert user.successful()
    moved: bool = user.value
    return moved


def test_the_first_user_waits_until_the_upload_has_ended_over_there() -> None:
    post = Post("a", "b")
    user = post["a"].give_away(4)
    gevent.sleep(0.01)
    assert (user.dead, list(post["b"].has)) == (False, [4])
    post["b"].end(4)
    assert outcome_of(user)


def test_offers_go_to_one_worker_after_the_other_and_never_back() -> None:
    post = Post("a", "b", "c")
    users = [post["a"].give_away(number) for number in range(4)]
    assert (len(post["a"].has), len(post["b"].has), len(post["c"].has)) == (0, 2, 2)
    gevent.killall(users)


def test_uploads_that_are_handed_over_at_the_same_time_end_each_for_itself() -> None:
    post = Post("a", "b")
    first, second = post["a"].give_away(1), post["a"].give_away(2)
    post["b"].end(2)
    assert outcome_of(second)
    assert not first.dead
    post["b"].end(1)
    assert outcome_of(first)


@pytest.mark.parametrize("others", [(), ("b",)])
def test_an_upload_that_nobody_takes_stays(others: tuple[str, ...]) -> None:
    post = Post("a", *others)
    for other in others:
        post[other].willing = False
    assert not outcome_of(post["a"].give_away(4))


def test_an_upload_that_came_back_may_move_again() -> None:
    post = Post("a", "b")
    post["b"].willing = False
    assert not outcome_of(post["a"].give_away(4))
    post["b"].willing = True
    user = post["a"].give_away(4)
    post["b"].end(4)
    assert outcome_of(user)


@pytest.mark.parametrize("willing", [True, False])
def test_an_answer_that_comes_too_late_changes_nothing(willing: bool) -> None:
    post = Post("a", "b")
    post["b"].willing, post.holds_answers = willing, True
    assert not outcome_of(post["a"].give_away(4)), "it goes on where it was"
    post.deliver()
    assert post["b"].has == {}, "and so must not go on over there"


def test_a_late_answer_is_none_to_the_next_offer_of_the_same_upload() -> None:
    post = Post("a", "b")
    post.holds_answers = True
    assert not outcome_of(post["a"].give_away(4))
    user = post["a"].give_away(4)
    post.deliver()
    assert (user.dead, list(post["b"].has)) == (False, [4])
    post["b"].end(4)
    assert outcome_of(user)


def test_a_user_that_is_stopped_before_the_answer_keeps_the_upload() -> None:
    post = Post("a", "b")
    post.holds_answers = True
    user = post["a"].give_away(4)
    user.kill(timeout=PATIENCE_S)
    assert isinstance(user.value, gevent.GreenletExit), "it ends as one that was killed does"
    post.deliver()
    assert post["b"].has == {}


def test_a_user_that_is_stopped_when_the_other_one_has_the_upload_already_does_not_tell_its_end() -> None:
    post = Post("a", "b")
    heard: list[Any] = []
    to_worker = post.workers["a"].handover.answered
    post.workers["a"].handover.answered = heard.append  # type: ignore[method-assign]
    told: list[str] = []

    def user() -> None:
        awaited = post["a"].handover.offer("run", suspended(4))  # raises where the upload is still its own
        assert awaited is not None
        told.append("moved")
        awaited()
        told.append("went on")

    greenlet = gevent.spawn(user)
    settle()
    greenlet.kill(block=False)
    settle()
    assert not greenlet.dead, "it waits to hear whose the upload is"
    to_worker(heard[0])
    gevent.joinall([greenlet], timeout=PATIENCE_S)
    assert (told, list(post["b"].has), [each["word"] for each in heard]) == (["moved"], [4], ["accepted"])


def test_at_the_end_of_a_run_everybody_keeps_what_they_have_until_the_next_one() -> None:
    post = Post("a", "b")
    post.holds_answers = True
    before = post["a"].give_away(1)
    post.switchboard.close()
    post.deliver()
    assert not outcome_of(before)
    assert not outcome_of(post["a"].give_away(2))
    assert post["b"].has == {}
    post.switchboard.open()
    post["a"].give_away(3).kill()
    assert list(post["b"].has) == [3]


def test_an_answer_that_nobody_waits_for_is_ignored() -> None:
    post = Post("a", "b")
    post["a"].handover.answered({"run_id": "before", "number": 4, "word": "ended"})


def test_nobody_waits_for_a_worker_that_is_lost_with_an_upload_of_another_one() -> None:
    post = Post("a", "b")
    user = post["a"].give_away(4)
    post.switchboard.gone("b")
    assert outcome_of(user), "whatever became of it, a does not know"
    post["b"].end(4)  # it was silent, and no more than that


def test_what_a_lost_worker_was_asked_for_stays_at_once() -> None:
    post = Post("a", "b")
    post.holds_answers = True
    user = post["a"].give_away(4)
    post.switchboard.gone("b")
    settle()
    assert user.dead, "it has not waited for its time to be over"
    assert not outcome_of(user)
    post.deliver()
    assert post["b"].has == {}
