import json
import re
from dataclasses import replace

import pytest

from tests.reports import runs
from tests.reports.runs import Users, run_of
from upswarm.reports.comparison.document import comparison_document
from upswarm.reports.comparison.markdown import comparison_markdown
from upswarm.reports.comparison.page import comparison_page
from upswarm.reports.comparison.text import comparison_text
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.comparison.comparison import compare
from upswarm.results.comparison.gate import Gate, judge
from upswarm.results.comparison.sides import Side
from upswarm.results.measurements import Measurements

EVIL = "<script>alert(1)</script>|`\x1b[31m"
GATES = [Gate.parse("chunk.response_time p50 > +10% and > +5ms"), Gate.parse("chunk.failed rate > +1pp")]


def judged(base, *others, gates=()):
    sides = [Side(letter, [run]) for letter, run in zip("ABC", (base, *others), strict=False)]
    return [judge(compare(sides[0], other), list(gates)) for other in sides[1:]]


@pytest.fixture(scope="module")
def crashed():
    other = replace(
        runs.crashed(),
        run_id="20250315-092653-evening-rush",
        scenario={**runs.SCENARIO, "seed": 8},
        generator_faults=("worker w-2 was lost",),
        audit=AuditRecord(20, 20, ("present",), {Fate.INTACT: 19, Fate.MISSING: 1}),
    )
    return judged(runs.good(), other, gates=GATES)


def forms(found):
    yield comparison_text(found[0], colour=False)
    yield comparison_markdown(found[0])
    yield comparison_page(found)


def test_differences_come_before_figures_and_errors_after_them(crashed):
    for text in forms(crashed):
        body = text[text.find("</style>") + 1 :]
        order = ["Scenario", "Machine and run", "finalize.response_time", "None on either side", "exit code"]
        assert [body.index(word) for word in order] == sorted(body.index(word) for word in order)


def test_everything_of_both_sides_is_said(crashed):
    for text in forms(crashed):
        for word in (
            "seed",
            "worker w-2 was lost",
            "refused",
            "1 missing",
            "not audited",
            "chunk.failed rate &gt; +1pp",
        ):
            assert word in text or word.replace("&gt;", ">") in text or word.replace("refused", "`refused`") in text


def test_the_terminal_shows_a_gate_that_fails(crashed):
    last = comparison_text(crashed[0], colour=False).splitlines()[-1]
    assert last.startswith("✗ fails if chunk.failed rate > +1pp: 0 % →")


def test_colour_is_for_words_only(crashed):
    plain, coloured = (comparison_text(crashed[0], colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert (
        coloured.replace("\x1b[31m", "").replace("\x1b[32m", "").replace("\x1b[33m", "").replace("\x1b[0m", "") == plain
    )


def test_names_from_outside_do_nothing():
    scenario = {"name": EVIL, "target": {EVIL: EVIL}}
    found = judged(runs.good(), replace(runs.good(), run_id=EVIL, scenario=scenario, generator_faults=(EVIL,)))
    text, markdown, page = forms(found)
    assert "\x1b" not in text
    assert "<script>alert" not in page.partition("</style>")[2]
    assert "\n## " not in markdown[3:]
    assert "<script>" not in re.sub(r"(`+).*?\1(?!`)", "", markdown)


def test_runs_without_any_data_are_compared():
    found = judged(run_of(Measurements()), replace(run_of(Measurements()), run_id="other"))
    for text in forms(found):
        assert "Neither side has any data" in text
    assert "<figure" not in comparison_page(found)


def test_a_page_of_three_sides_draws_all_of_them_over_one_another(crashed):
    page = comparison_page(judged(runs.good(), runs.crashed(), replace(run_of(Users(3).run(4, 20.0)), run_id="third")))
    (distribution,) = [part for part in page.split("<figure")[1:] if "distributions" in part[:80]]
    options = json.loads(distribution.split('<script type="application/json">')[1].split("</script>")[0])
    assert list(options) == ["chunk", "upload", "init", "finalize"]
    assert [each["name"] for each in options["chunk"]["series"]] == ["A", "B", "C"]


def test_json_has_figures_in_the_metrics_own_units(crashed):
    document = json.loads(json.dumps(comparison_document(crashed, 5)))
    (comparison,) = document["comparisons"]
    p50 = next(
        each for each in comparison["changes"] if (each["metric"], each["aggregate"]) == ("chunk.response_time", "p50")
    )
    assert p50["unit"] == "seconds"
    assert 0.01 < p50["base"] < 0.2
    assert p50["low"] < p50["difference"] < p50["high"]
    assert [gate["fails"] for gate in comparison["gates"]] == [False, True]
    assert document["comparisons"][0]["scenario"][0] == {"key": "seed", "base": "7", "other": "8"}
