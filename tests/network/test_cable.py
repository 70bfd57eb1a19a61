"""The cable's arithmetic: when a frame is there, and which ones never are."""

from __future__ import annotations

import random

from tests.network.cable import Direction, Line

FRAME = bytes(1250)  # 10,000 bits


def test_a_frame_is_there_when_it_has_been_sent_and_has_travelled() -> None:
    way = Direction(Line(delay_s=0.04, rate_bits_per_s=1e6), dice=lambda: 0.5)
    way.enter(FRAME, 1.0)
    assert way.due_s == 1.05
    assert way.arrived(1.049) is None
    assert way.arrived(1.05) == FRAME
    assert way.due_s is None


def test_frames_queue_for_the_rate_and_what_would_wait_too_long_is_lost() -> None:
    way = Direction(Line(rate_bits_per_s=1e6, queue_s=0.025), dice=lambda: 0.5)
    for number in range(10):
        way.enter(FRAME + bytes([number]), 0.0)
    assert [frame[-1] for frame in iter(lambda: way.arrived(9.0), None)] == [0, 1, 2]


def test_jitter_makes_frames_late_but_no_frame_overtakes_another() -> None:
    dice = iter([1.0, 1.0, 1.0, 0.0])  # for each frame: whether it is lost, and how late it is
    way = Direction(Line(delay_s=0.04, jitter_s=0.01), dice=lambda: next(dice))
    way.enter(b"first", 0.0)
    way.enter(b"second", 0.0)
    assert way.due_s is not None
    assert round(way.due_s, 3) == 0.05
    assert [way.arrived(0.0501), way.arrived(0.0501)] == [b"first", b"second"]


def test_of_many_frames_as_many_are_lost_as_the_line_says() -> None:
    way = Direction(Line(loss_ratio=0.02), dice=random.Random(1).random)
    for _ in range(10_000):
        way.enter(b"", 0.0)
    assert 9_750 <= len(list(iter(lambda: way.arrived(9.0), None))) <= 9_850
