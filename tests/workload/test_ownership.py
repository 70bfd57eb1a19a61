"""Workers come, go and get lost; the book stays right."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from upswarm.workload.ownership import Ownership
from upswarm.workload.shares import Share


class World:
    """Workers that do what the book asks of them, at once."""

    def __init__(self, slots: int, workers: int) -> None:
        ids = [f"w{index}" for index in range(workers)]
        self.slots = slots
        self.book = Ownership(slots, ids)
        self.shares = {worker_id: Share.of(index, workers, slots) for index, worker_id in enumerate(ids)}
        self.drawn: list[int] = []
        self.came = workers

    def draw(self, worker: int, count: int) -> None:
        share = self.shares[self._some(worker)]
        self.drawn += [share.draw() for _ in range(count) if share]

    def join(self) -> None:
        worker_id = f"w{self.came}"
        self.came += 1
        self.shares[worker_id] = Share(self.slots)
        for giver, count in self.book.join(worker_id).items():
            following = self.shares[giver].give(count)
            assert self.book.moved(giver, following, worker_id)
            self.shares[worker_id].take(following)
        self._hand_out([])

    def leave(self, worker: int, *, also: bool) -> None:
        """One leaves, or two at once: the second has said its last word when some of the first one's slots come."""
        leavers = [self._some(worker)]
        leavers += [each for each in sorted(self.shares) if also and len(self.shares) > 2 and each not in leavers][:1]
        last_words = {each: self.shares[each].following for each in leavers}
        for each in leavers:
            self._hand_out(self.book.leave(each, last_words[each]))
            del self.shares[each]

    def draw_all(self, end: int) -> None:
        for share in self.shares.values():
            while share.first is not None and share.first < end:
                self.drawn.append(share.draw())

    def _hand_out(self, following) -> None:
        for worker_id, numbers in self.book.spread(following).items():
            self.shares[worker_id].take(numbers)

    def _some(self, worker: int) -> str:
        return sorted(self.shares)[worker % len(self.shares)]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("draw"), st.integers(0, 9), st.integers(0, 40)),
        st.tuples(st.just("join"), st.just(0), st.just(0)),
        st.tuples(st.just("leave"), st.integers(0, 9), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=200)
@given(st.integers(1, 60), st.integers(1, 6), steps)
def test_whoever_comes_and_goes_each_number_is_drawn_once_and_none_is_left(slots, workers, steps):
    world = World(slots, workers)
    for step, worker, how in steps:
        if step == "join":
            world.join()
        elif step == "draw":
            world.draw(worker, int(how))
        elif len(world.shares) > 1:
            world.leave(worker, also=bool(how))
    world.draw_all(end := max(world.drawn, default=0) + 1)
    assert sorted(world.drawn) == list(range(end))


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 5))
def test_nobody_has_two_slots_more_than_another_after_some_have_joined(slots, workers, joiners):
    world = World(slots, workers)
    for _ in range(joiners):
        world.join()
    owned = [len(share) for share in world.shares.values()]
    assert sum(owned) == slots
    assert max(owned) - min(owned) <= 1


def test_slots_that_are_on_their_way_to_somebody_who_has_gone_are_for_others():
    book = Ownership(4, ["a"])
    assert book.join("b") == {"a": 2}
    assert book.leave("b", []) == []
    assert book.moved("a", [6, 7], "b") is False
    assert book.spread([6, 7]) == {"a": [6, 7]}
    assert book.leave("a", [4, 5]) == [4, 5, 6, 7]


def test_what_the_last_one_leaves_waits_for_the_next():
    book = Ownership(2, ["a"])
    assert book.spread(book.leave("a", [10, 11])) == {}
    assert book.join("b") == {}
    assert book.spread([]) == {"b": [10, 11]}
