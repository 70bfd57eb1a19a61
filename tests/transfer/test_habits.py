"""Which uploads are interrupted, and where: by arithmetic."""

from upswarm.transfer.habits import Habits, Interrupt, Spread

THIRD = Interrupt(0.3, Spread(0.1, 0.9), Spread(1.0, 20.0))
SIZE_BYTES = 1000
NUMBERS = range(2000)


def drawn(habits, size_bytes=SIZE_BYTES):
    return {number: cuts for number in NUMBERS if (cuts := habits.cuts(number, size_bytes))}


def test_the_share_of_interrupted_uploads_is_the_one_asked_for():
    assert 0.27 < len(drawn(Habits(THIRD))) / len(NUMBERS) < 0.33
    assert drawn(Habits(Interrupt(0.0, Spread(0, 1), Spread(1, 1)))) == {}
    assert len(drawn(Habits(Interrupt(1.0, Spread(0, 1), Spread(1, 1))))) == len(NUMBERS)


def test_cuts_lie_where_they_should_and_everywhere_there():
    cuts = [cut for (cut,) in drawn(Habits(THIRD)).values()]
    assert {cut.after_bytes // 10 for cut in cuts} == set(range(10, 90)), "every hundredth of the file"
    assert all(1 <= cut.resume_in_s <= 20 for cut in cuts)
    assert len({cut.resume_in_s for cut in cuts}) == len(cuts)


def test_the_same_number_has_the_same_fate_whoever_asks_and_in_whatever_order():
    alone = Habits(THIRD, 0.2, seed=7)
    assert [alone.cuts(number, SIZE_BYTES) for number in NUMBERS] == [
        Habits(THIRD, 0.2, seed=7).cuts(number, SIZE_BYTES) for number in reversed(NUMBERS)
    ][::-1]


def test_another_seed_draws_other_uploads():
    assert drawn(Habits(THIRD, seed=1)).keys() != drawn(Habits(THIRD, seed=2)).keys()


def test_who_is_interrupted_does_not_depend_on_who_gives_up():
    both = drawn(Habits(THIRD, 0.2))
    alone = drawn(Habits(THIRD))
    assert {number: cut for number, cuts in both.items() for cut in cuts if cut.resume_in_s is not None} == {
        number: cut for number, (cut,) in alone.items()
    }


def test_the_share_of_uploads_given_up_is_the_one_asked_for_and_nobody_comes_back():
    cuts = drawn(Habits(abort_ratio=0.05))
    assert 0.035 < len(cuts) / len(NUMBERS) < 0.065
    assert {cut.resume_in_s for (cut,) in cuts.values()} == {None}


def test_cuts_come_in_the_order_of_the_bytes():
    both = [cuts for cuts in drawn(Habits(THIRD, 0.5)).values() if len(cuts) == 2]
    assert len(both) > 100
    assert all(first.after_bytes <= second.after_bytes for first, second in both)


def test_nothing_happens_to_an_empty_file_nor_to_an_upload_without_a_number():
    every = Habits(Interrupt(1.0, Spread(0, 1), Spread(1, 1)), 1.0)
    assert every.cuts(1, 0) == ()
    assert every.cuts(None, 1000) == ()


def test_who_is_interrupted_gives_up_no_more_often_than_others():
    both = [cuts for cuts in drawn(Habits(Interrupt(0.5, Spread(0, 1), Spread(1, 1)), 0.5)).values() if len(cuts) == 2]
    assert 0.2 < len(both) / len(NUMBERS) < 0.3
