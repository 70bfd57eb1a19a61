"""A capacity in the terminal and as a page: the same numbers, no claim without them, and nothing from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.capacity.capacities import CAPACITIES, MIB, capacity, found, generator, nothing, silent, step
from tests.reports.drawn import draw, is_sound
from tests.reports.test_html import HOSTILE, Reader
from upswarm.reports.capacity.chart import knee, limits
from upswarm.reports.capacity.page import CAPACITY_PAGE, write_page
from upswarm.reports.capacity.text import headline, row, summary
from upswarm.results.capacity import Capacity
from upswarm.results.objectives import parse
from upswarm.results.steps import By, Step, Verdict


def page(whole: Capacity, folder: Path) -> Reader:
    return Reader(write_page(whole, folder).read_text(encoding="utf-8"))


def test_a_row_says_why_a_load_did_not_hold() -> None:
    lines = row(step(48, Verdict.BROKEN, 0.612), By.USERS).splitlines()
    assert re.split(r"  +", lines[0]) == ["48 users", "gave in", "204 ms", "612 ms", "220.0 MiB/s", "0"]
    assert lines[1:] == ["    chunk.response_time p99 < 400ms: 612 ms (594 ms to 630 ms)"]
    assert len(row(step(4), By.USERS).splitlines()) == 1


def test_a_row_says_that_nothing_settled_and_how_the_generator_gave_in() -> None:
    unsettled = row(step(8, Verdict.UNCLEAR, settled=False), By.USERS)
    assert "    nothing settled\n" in unsettled
    strained = row(step(8, Verdict.GENERATOR, strain=("a worker was lost",)), By.USERS)
    assert strained.splitlines()[1:] == ["    a worker was lost"]
    broken = row(step(8, Verdict.BROKEN, 0.612, strain=("9 were dropped",)), By.USERS).splitlines()
    assert [line.split()[0] for line in broken[1:]] == ["chunk.response_time", "9"]
    assert "no answer" in row(Step.failed(8, "no answer", 2.0), By.USERS)


@pytest.mark.parametrize("name", CAPACITIES)
def test_the_terminal_is_never_wider_than_100_columns(name: str) -> None:
    whole = CAPACITIES[name]()
    wanted = [parse(each) for each in whole.objectives] * 4
    texts = [headline(whole.name, whole.by, wanted), *(row(each, whole.by) for each in whole.steps), summary(whole)]
    assert max(len(line) for text in texts for line in text.splitlines()) <= 100


def test_the_head_stands_above_its_columns() -> None:
    head = headline("x", By.USERS, [parse("upload.response_time p50 < 1s")]).splitlines()
    assert head[0] == "x: the most users that hold upload.response_time p50 < 1s"
    assert head[-2] == "p50 and p99 are those of upload.response_time"
    line = row(step(4), By.USERS)
    assert (head[-1].index("p99") + 3, head[-1].index("goodput") + 7) == (
        line.index("200 ms") + 6, line.index("20.0 MiB/s") + 10,
    )  # fmt: skip


def test_the_last_sentence_ends_with_the_exit_code() -> None:
    assert summary(found()).endswith("Exit code 0.")
    assert " ".join(summary(silent()).split()) == "No load is known to hold. The search was cut off. Exit code 5."


@pytest.mark.parametrize("name", CAPACITIES)
def test_the_page_stands_alone(name: str, tmp_path: Path) -> None:
    reader = page(CAPACITIES[name](), tmp_path)
    assert reader.open == []
    assert not {"link", "img", "iframe"} & set(reader.tags)
    links = [value for attribute, value in reader.attributes if attribute in {"src", "href"}]
    assert all("//" not in str(value) for value in links)
    assert [path.name for path in tmp_path.iterdir()] == [CAPACITY_PAGE]


def test_the_page_says_what_the_terminal_says(tmp_path: Path) -> None:
    text = page(found(), tmp_path).text
    assert found().sentence() in text
    for each in found().steps:
        assert By.USERS.amount(each.load) in text
    assert "chunk.response_time p99 < 400ms: 612 ms (594 ms to 630 ms)" in text


def test_every_step_leads_to_its_report(tmp_path: Path) -> None:
    links = [value for attribute, value in page(generator(), tmp_path).attributes if attribute == "href"]
    assert links == [f"{each.run}/report.html" for each in sorted(generator().steps, key=lambda each: each.load)]


def test_a_lower_bound_is_no_good_news_and_a_search_without_steps_is_said(tmp_path: Path) -> None:
    assert ("class", "verdict invalid") in page(generator(), tmp_path).attributes
    assert ("class", "verdict good") in page(found(), tmp_path).attributes
    assert ("class", "verdict bad") in page(nothing(), tmp_path).attributes
    assert "No load was tried to its end." in page(silent(), tmp_path).text


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    hostile = replace(found(), name=HOSTILE, target=HOSTILE, steps=(Step.failed(3, HOSTILE, 2.0),))
    reader = page(hostile, tmp_path)
    assert "script" not in reader.tags
    assert reader.text.count("alert('x')") >= 3


def test_the_knee_can_be_drawn() -> None:
    searches = (
        found(),
        generator(),
        nothing(),
        capacity(step(10_000, p99_s=3600.0), step(1, p99_s=1e-6)),
        capacity(step(0.003, p99_s=0.5), by=By.ARRIVALS),
        capacity(step(4, goodput_bytes_per_s=0.0, p50_s=None)),
        capacity(step(4), objectives=("chunk.response_time p99 < 1h", "chunk.response_time p50 < 1us")),
    )
    drawn = [chart for whole in searches if (chart := knee(whole)) is not None]
    assert len(drawn) == len(searches)
    assert all(is_sound(svg) for svg in draw(drawn))


def test_a_dot_has_the_colour_of_its_verdict_on_both_curves() -> None:
    chart = knee(capacity(step(1), step(2, Verdict.BROKEN), step(3, Verdict.UNCLEAR)))
    assert chart is not None
    colours = [[each["itemStyle"]["color"] for each in curve["data"]] for curve in chart.options[""]["series"][1:]]
    assert colours == [["var(--good)", "var(--bad)", "var(--invalid)"]] * 2


def test_a_step_without_times_is_in_no_curve_and_no_step_is_no_chart() -> None:
    assert knee(silent()) is None
    assert knee(capacity(Step.failed(8, "x", 2.0))) is None
    chart = knee(capacity(step(4), Step.failed(8, "x", 2.0)))
    assert chart is not None
    assert [len(curve["data"]) for curve in chart.options[""]["series"]] == [1, 1, 1]


def test_only_objectives_about_the_times_that_are_shown_are_lines() -> None:
    assert limits(found()) == [("p99 < 400ms", 0.4)]
    other = "upload.response_time p99 < 5s"
    assert limits(replace(found(), objectives=(*found().objectives, other))) == [("p99 < 400ms", 0.4)]
    chart = knee(found())
    assert chart is not None
    assert [len(curve["markLine"]["data"]) for curve in chart.options[""]["series"] if "markLine" in curve] == [1]


def test_the_knee_in_words() -> None:
    chart = knee(capacity(step(4, goodput_bytes_per_s=20.0 * MIB)))
    assert chart is not None
    assert chart.words == (
        "Load against chunk.response_time on a logarithmic axis, and against goodput. "
        "4 users: p50 66.7 ms, p99 200 ms, goodput 20.0 MiB/s, held."
    )
