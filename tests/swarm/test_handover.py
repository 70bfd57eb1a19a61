"""Who has an upload while it is handed over: real greenlets, and a post that delivers when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from upswarm.swarm.handover import ANSWER, OFFER, Handover, Switchboard
from upswarm.transfer.suspended import Log, Suspended

PATIENCE_S = 20


class Worker:
    """Takes up what it is offered, if it is `willing`; `end` ends the uploads that it has."""

    def __init__(self, post: Post, worker_id: str) -> None:
        self.handover = Handover(lambda kind, data: post.to_master(worker_id, kind, data), self._take_up)
        self.willing = True
        self.has: dict[int, Callable[[], None]] = {}

    def _take_up(self, run_id: str, suspended: Suspended, ended: Callable[[], None]) -> bool:
        if self.willing:
            self.has[suspended.number] = ended
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
        gevent.sleep(0)
        return greenlet


class Post:
    """Carries messages as Locust does, through the master; `held` ones wait until they are delivered."""

    def __init__(self, *worker_ids: str) -> None:
        self.workers = {worker_id: Worker(self, worker_id) for worker_id in worker_ids}
        self.switchboard = Switchboard(self.to_worker, lambda: self.workers)
        self.holds_answers = False
        self.held: list[tuple[str, dict[str, Any], str]] = []

    def __getitem__(self, worker_id: str) -> Worker:
        return self.workers[worker_id]

    def to_master(self, worker_id: str, kind: str, data: dict[str, Any]) -> None:
        if kind == OFFER:
            self.switchboard.offered(worker_id, data)
        else:
            self.switchboard.answered(data)

    def to_worker(self, kind: str, data: dict[str, Any], worker_id: str) -> None:
        if kind == ANSWER and self.holds_answers:
            self.held.append((kind, data, worker_id))
            return
        handover = self.workers[worker_id].handover
        (handover.offered if kind == OFFER else handover.answered)(data)

    def deliver(self) -> None:
        self.holds_answers = False
        for message in self.held:
            self.to_worker(*message)


def suspended(number: int) -> Suspended:
    return Suspended(number, {"upload_id": "u"}, 3.5, Log(sent_bytes=7, interruptions=1))


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
def test_a_user_that_is_stopped_before_the_answer_waits_to_hear_whose_the_upload_is(willing: bool) -> None:
    """Its own, then it is stopped like any other; the other worker's, then that one tells the end."""
    post = Post("a", "b")
    post["b"].willing, post.holds_answers = willing, True
    moved: list[bool] = []

    def user() -> None:
        awaited = post["a"].handover.offer("run", suspended(4))  # raises where the upload is still its own
        assert awaited is not None
        moved.append(True)
        awaited()

    greenlet = gevent.spawn(user)
    gevent.sleep(0)
    greenlet.kill(block=False)
    gevent.sleep(0.01)
    assert not greenlet.dead
    post.deliver()
    gevent.joinall([greenlet], timeout=PATIENCE_S)
    assert isinstance(greenlet.value, gevent.GreenletExit), "it ends as one that was killed does"
    assert moved == [True] * willing


def test_an_answer_that_nobody_waits_for_is_ignored() -> None:
    post = Post("a", "b")
    post["a"].handover.answered({"run_id": "before", "number": 4, "word": "ended"})
