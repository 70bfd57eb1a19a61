"""`summary.md`: the verdict first, short, and nothing in it that somebody else wrote does anything."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from tests.reports import outsiders, runs
from upswarm.reports.outputs.markdown import markdown
from upswarm.reports.outputs.markdown_text import cell_code, code, prose
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.measurements import Measurements
from upswarm.results.thresholds import Verdict
from upswarm.transfer.messages import Phase


def rendered(text: str) -> str:
    """As a browser gets it."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


@pytest.mark.parametrize(
    ("build", "first"),
    [
        (runs.good, "## ✅ `evening-rush`: passed"),
        (runs.crashed, "## ❌ `evening-rush`: failed"),
        (runs.silent, "## ⚠️ `evening-rush`: invalid measurement"),
    ],
)
def test_the_verdict_is_the_first_line(build: runs.Build, first: str) -> None:
    assert markdown(build()).splitlines()[0] == first


def test_thresholds_are_a_table_in_the_order_of_the_scenario() -> None:
    lines = markdown(runs.crashed()).splitlines()
    head = lines.index("|  | threshold | observed |")
    assert lines[head + 2] == "| ❌ | `upload.failed count == 0` | 8 |"
    assert lines[head + 3].startswith("| ✅ | `upload.finished count >= 10` | ")
    assert lines[head + 6] == "| ❌ | `probe.response_time p95 < 1s` | no data |"


def test_verdicts_that_do_not_count_stand_in_brackets() -> None:
    assert "| (✅) | `upload.failed count == 0` | 0 |" in markdown(runs.worker_lost())


def test_phases_and_the_most_frequent_failures_follow() -> None:
    text, tally = markdown(runs.crashed()), runs.crashed().measurements.phases[Phase.CHUNK]
    assert re.search(rf"^\| chunk \| {tally.attempts} \| {tally.failed} \| {tally.retries} \|", text, re.MULTILINE)
    failures = text[text.index("| failed | phase |") :].splitlines()
    counts = [int(line.split()[1]) for line in failures[2:6]]
    assert counts == sorted(counts, reverse=True)
    assert set(tally.failures.values()) <= set(counts)
    assert "hunter2" not in text


def test_what_one_has_to_know_of_the_verdicts_is_a_line_each() -> None:
    run = runs.run_of(
        runs.crashed().measurements,
        audit=outsiders.audited(intact=7, missing=2),
        aborted_by="upload.failed count == 0",
        settled=Measurements(),
        warm_up_s=5.0,
        marks=(Mark(8.0, MarkKind.FAULT, "the server was killed (SIGKILL)", 13.0),),
        notes=("after 3.0 s worker b joined",),
    )
    lines = markdown(run).splitlines()
    for line in (
        "- ❌ Audit: 9 of 9 acknowledged files looked at (size, digest): 7 intact, 2 missing",
        "- Ended early, for this threshold was broken: upload.failed count == 0",
        "- Thresholds are judged without the warm-up, the first 5.00 s.",
        "- after 3.0 s worker b joined.",
    ):
        assert line in lines
    cost = r"^- At 8.0 s to 13.0 s the server was killed \(SIGKILL\): \d+ attempts failed"
    assert re.search(cost, markdown(run), re.MULTILINE)
    assert lines[2] == "2 acknowledged files are missing or wrong: the audit asked for 9. Exit code 4."


def test_a_generator_at_its_limit_is_warned_of() -> None:
    assert "- ⚠️ the generator was late: 1 of 3 workers (bench-2)" in markdown(runs.strained())


@pytest.mark.parametrize("build", runs.RUNS.values(), ids=runs.RUNS)
def test_it_is_short(build: runs.Build) -> None:
    assert len(markdown(build())) < 5_000


def test_it_is_never_too_long_for_a_comment() -> None:
    assert len(markdown(outsiders.hostile(letters=20, many=200))) < 60_000


def test_of_too_many_thresholds_those_that_did_not_hold_are_shown() -> None:
    verdicts = (*[Verdict(f"goodput mean > {n}MiB/s", True, "1") for n in range(60)], Verdict("last", False, "1"))
    lines = markdown(runs.run_of(runs.good().measurements, verdicts=verdicts)).splitlines()
    assert lines[lines.index("|  | threshold | observed |") + 2] == "| ❌ | `last` | 1 |"
    assert "And 21 more thresholds." in lines


def test_words_from_outside_do_nothing() -> None:
    page = rendered(markdown(outsiders.hostile(many=3)))
    elements = sorted(set(re.findall(r"<(\w+)", page)))
    assert " ".join(elements) == "code h2 li p sub table tbody td th thead tr ul"
    assert page.count("<h2>") == 1
    spoken = html.unescape(re.sub(r"<code>.*?</code>|<[^>]+>", "", page))
    assert not re.search(r"@\w|#\d|[\0\r\033]", spoken), "GitHub looks for names and numbers behind these"


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    tables = re.findall(r"<table>.*?</table>", rendered(markdown(outsiders.hostile(many=2))), re.DOTALL)
    widths = [{len(re.findall(r"<t[dh]\b", row)) for row in table.split("</tr>")[:-1]} for table in tables]
    assert widths == [{3}, {8}, {5}]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (prose("a|b <i> *x* worker_1"), r"a\|b \<i\> \*x\* worker\_1"),
        (prose("two\nlines\r\nand\ttabs\0"), "two lines and tabs?"),
        (prose("@you and #7"), "@\u200byou and #\u200b7"),
        (prose("see http://evil now"), r"see http\://evil now"),
        (prose("1. item"), r"1\. item"),
        (prose("version 0.1.0 at 3.5 s"), "version 0.1.0 at 3.5 s"),
        (prose("x" * 400), "x" * 299 + "…"),
        (code("a`b"), "``a`b``"),
        (code("`b``"), "``` `b`` ```"),
        (code(""), ""),
        (cell_code("a|b\\|c"), r"`a\|b\ \|c`"),
    ],
)
def test_each_kind_of_markup_is_disarmed(made: str, expected: str) -> None:
    assert made == expected
