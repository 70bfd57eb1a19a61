import statistics
from collections import Counter

import pytest

from upswarm.workload.mix import ContentSpec, FileClass, Mix
from upswarm.workload.shares import Share
from upswarm.workload.sizes import Fixed, Listed, Lognormal, Uniform

SPARSE, RANDOM = ContentSpec("sparse"), ContentSpec("random")
MIX = Mix((FileClass(Uniform(1, 9), SPARSE, 3), FileClass(Fixed(100), RANDOM, 1)), seed=7)


def test_ten_workers_draw_the_same_files_as_one():
    one = [MIX.draw(number) for number in range(200)]
    shares = [Share.of(index, 10, 640) for index in range(10)]
    ten = [MIX.draw(share.draw()) for share in reversed(shares) for _ in range(20)]
    assert sorted(ten, key=lambda draw: draw.number) == one


def test_a_draw_has_no_memory():
    assert MIX.draw(5) == MIX.draw(5)
    assert MIX.draw(5).number == 5


def test_another_seed_draws_other_files():
    assert [Mix(MIX.classes, 8).draw(n).seed for n in range(9)] != [MIX.draw(n).seed for n in range(9)]


def test_no_two_files_have_the_same_bytes():
    assert len({MIX.draw(number).seed for number in range(5000)}) == 5000


def test_the_draws_of_a_seed_are_the_same_on_every_machine():
    """Written down once: should this change, old scenarios draw other files, and that belongs in the changelog."""
    assert [MIX.draw(number).size_bytes for number in range(8)] == [1, 3, 8, 7, 2, 1, 7, 7]


def test_classes_come_by_weight():
    counts = Counter(MIX.draw(number).content for number in range(4000))
    assert counts[SPARSE] / 4000 == pytest.approx(0.75, abs=0.03)  # more than four standard deviations


def test_a_class_of_no_weight_never_comes():
    mix = Mix((FileClass(Fixed(1)), FileClass(Fixed(2), weight=0)))
    assert {mix.draw(number).size_bytes for number in range(500)} == {1}


def test_the_mean_of_a_mix_is_weighted():
    assert MIX.mean_bytes == (3 * 5 + 1 * 100) / 4
    assert statistics.mean(MIX.draw(n).size_bytes for n in range(4000)) == pytest.approx(MIX.mean_bytes, rel=0.1)


def test_a_lognormal_has_the_median_and_the_p95_that_it_was_given():
    size = Lognormal(median_bytes=64_000, p95_bytes=1_000_000)
    drawn = sorted(Mix((FileClass(size),)).draw(number).size_bytes for number in range(8000))
    assert drawn[4000] == pytest.approx(64_000, rel=0.08)
    assert drawn[7600] == pytest.approx(1_000_000, rel=0.12)


def test_the_mean_of_a_lognormal_lies_above_its_median():
    assert Lognormal(1000, 5000).mean_bytes == pytest.approx(
        1000 * 2.718281828 ** ((1.609437912 / 1.644853627) ** 2 / 2)
    )


def test_a_lognormal_without_spread_is_fixed():
    assert {Mix((FileClass(Lognormal(500, 500)),)).draw(n).size_bytes for n in range(50)} == {500}


def test_both_ends_of_a_uniform_size_are_drawn():
    mix = Mix((FileClass(Uniform(3, 5)),))
    assert {mix.draw(number).size_bytes for number in range(200)} == {3, 4, 5}


def test_a_listed_size_comes_as_often_as_it_is_listed():
    mix = Mix((FileClass(Listed((5, 5, 5, 9))),))
    counts = Counter(mix.draw(number).size_bytes for number in range(4000))
    assert counts[5] + counts[9] == 4000
    assert counts[5] / 4000 == pytest.approx(0.75, abs=0.03)  # more than four standard deviations
    assert mix.mean_bytes == 6


def test_contents_are_the_same_when_name_and_parameters_are():
    one, same = (ContentSpec("dedup", {"ratio": 4}) for _ in range(2))
    assert {one: "made once"}[same] == "made once"
    assert ContentSpec("dedup", {"ratio": 5}) != one != ContentSpec("random", {"ratio": 4})


def test_fixed_sizes_do_not_throw_the_dice():
    assert Fixed(7).draw(None) == 7
    assert Fixed(7).mean_bytes == 7.0
