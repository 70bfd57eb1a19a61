from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.errors import ScenarioError
from upswarm.workload.mix import FileClass, Mix
from upswarm.workload.replay import Replay, parse
from upswarm.workload.sizes import Fixed

MiB = 2**20


def lines(text: str) -> list[str]:
    """As a file gives them, with their ends."""
    return text.splitlines(keepends=True)


def mistakes(text: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(ScenarioError) as caught:
        parse(lines(text), "s.csv")
    return [(each.line, each.column, each.key, each.message) for each in caught.value.findings]


@pytest.mark.parametrize(
    "text",
    [
        "0s,8MiB\n1.5s,512B\n2m,0\n",
        "time,size\n0s,8MiB\n1.5s,512B\n2m,0\n",
        "time_s,size_bytes\n0,8388608\n1.5,512\n120,0",
        "time_s,size\n0s,8MiB\n1500ms,512\n2m,0B\n",
        "\ufefftime,size\r\n0,8MiB\r\n1.5s,512B\r\n120s,0\r\n",
        '# recorded on a Monday\n\n"time" , "size"\n  0s , 8 MiB\n"1.5s","512B"\n\n2m,0\n',
    ],
)
def test_a_schedule_is_read_however_it_is_written(text):
    assert parse(lines(text), "s.csv") == Replay((0, 1.5, 120), (8 * MiB, 512, 0))


def test_a_schedule_knows_its_arrivals():
    replay = parse(["1s,1B", "3s,2B", "3s,3B"], "s.csv")
    assert [replay.due_s(number) for number in range(4)] == [1, 3, 3, None]
    assert (replay.count, replay.duration_s) == (3, 3)


def test_an_arrival_is_the_file_of_the_mix_in_the_recorded_size():
    replay, mix = Replay((0.0, 1.0), (5, 6)), Mix((FileClass(Fixed(100)),), seed=4)
    for number, size_bytes in ((0, 5), (1, 6)):
        drawn = mix.draw(number)
        assert replay.resized(drawn) == replace(drawn, size_bytes=size_bytes)


def test_all_mistakes_are_named_at_once_each_with_its_line():
    text = "time,size\n1s,8MiB\n2,8MiB\nsoon,8MiBx\n3s\n0.5s,1B\n4s,1B,x\n2s,1B\n"
    duration, size = "a duration such as 200ms, 30s or 2m", "a size such as 8MiB or 1.5GB"
    row = "expected a time and a size such as 12.5s,8MiB"
    assert mistakes(text) == [
        (3, 1, "time", f"expected {duration}, found '2'"),
        (4, 1, "time", f"expected {duration}, found 'soon'"),
        (4, 6, "size", f"expected {size}, found '8MiBx'"),
        (5, 1, "line", f"{row}, found '3s'"),
        (6, 1, "time", "expected a time that is not before the 1s of line 2, found '0.5s'"),
        (7, 1, "line", f"{row}, found '4s,1B,x'"),
    ]


def test_an_error_can_be_clicked_on_and_says_what_to_do():
    with pytest.raises(ScenarioError, match=r"(?m)^  s\.csv:1:1: time: .* found '2' \(or name the column time_s\)$"):
        parse(["2,8MiB"], "s.csv")


def test_names_of_columns_stand_in_the_first_line_only():
    assert [line for line, *_ in mistakes("1s,1B\ntime,size\n")] == [2, 2]


@pytest.mark.parametrize("text", ["", "\n\n", "time,size\n", "# nothing\n"])
def test_a_schedule_without_arrivals_is_a_mistake(text):
    assert mistakes(text) == [(1, 1, "schedule", "expected at least one line such as 12.5s,8MiB, found none")]


def test_of_many_mistakes_the_first_are_shown_and_the_others_counted():
    found = mistakes("x,1B\n" * 1000)
    assert len(found) == 21
    assert found[-1][2:] == ("schedule", "has 980 more mistakes")


times = st.lists(st.integers(0, 10**9), min_size=1, max_size=50).map(sorted)


@given(times, st.data())
def test_what_is_written_is_read_back(millis, data):
    sizes = data.draw(st.lists(st.integers(0, 2**50), min_size=len(millis), max_size=len(millis)))
    rows = [f"{time}ms,{size}B" for time, size in zip(millis, sizes, strict=True)]
    replay = parse(rows, "s.csv")
    assert replay.sizes_bytes == tuple(sizes)
    assert replay.times_s == pytest.approx([time / 1000 for time in millis])


@given(st.text())
def test_no_text_is_too_strange_to_be_read_or_refused(text):
    with suppress(ScenarioError):
        replay = parse(lines(text), "s.csv")
        assert replay.times_s == tuple(sorted(replay.times_s))
