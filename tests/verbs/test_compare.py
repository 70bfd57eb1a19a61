"""`upswarm compare`: what it refuses, what it prints, and its exit codes."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from click.testing import CliRunner

from tests.results.comparison.comparisons import wandering
from upswarm.cli import cli
from upswarm.errors import UpswarmError


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three usual runs and three slow ones."""
    folder, dice = tmp_path_factory.mktemp("runs"), random.Random(1)
    for kind, scale in (("usual", 1.0), ("slow", 1.5)):
        for number in range(3):
            run = wandering(dice, scale=scale, length_s=20, wander=0.02)
            replace(run, run_id=f"{kind}-{number}").save(folder / f"{kind}-{number}")
    return folder


def compare(folder, *arguments):
    """Exit code and output, or the sentence of an error; sides are names, joined by commas."""
    sides = [
        ",".join(str(folder / name) for name in each.split(",")) if each.startswith(("usual-", "slow-")) else each
        for each in arguments
    ]
    result = CliRunner().invoke(cli, ["compare", *sides])
    if isinstance(result.exception, UpswarmError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


def test_a_slower_server_is_worse_and_the_gate_exits_3(folders):
    code, out = compare(folders, "usual-0", "slow-0", "--fail-if", "chunk.response_time p50 > +10% and > +5ms")
    assert code == 3
    assert "worse" in out
    assert out.endswith("1 gate fails. Exit code 3.\n")


def test_without_a_gate_a_slower_server_exits_0(folders):
    assert compare(folders, "usual-0", "slow-0")[0] == 0


def test_several_runs_on_a_side_are_joined_by_commas(folders):
    code, out = compare(folders, "usual-0,usual-1,usual-2", "slow-0,slow-1,slow-2", "--sure", "--fail-if",
                        "chunk.service_time mean > +10%")  # fmt: skip
    assert (code, "(3 runs)" in out) == (3, True)


def test_each_of_several_others_is_compared_with_the_base(folders):
    code, out = compare(
        folders, "usual-0", "usual-1", "slow-0", "--json", "--fail-if", "chunk.response_time p50 > +20%"
    )
    document = json.loads(out)
    assert (code, document["exit_code"]) == (3, 3)
    assert [[gate["fails"] for gate in each["gates"]] for each in document["comparisons"]] == [[False], [True]]


def test_a_run_is_the_same_as_itself(folders):
    code, out = compare(folders, "usual-0", "usual-0", "--fail-if", "chunk.response_time p99 > +0.1%")
    assert (code, "Both sides are the same runs" in out) == (0, True)


def test_the_page_goes_where_it_is_wanted(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compare(folders, "usual-0", "slow-0", "--html", str(tmp_path / "two.html"))
    compare(folders, "usual-0", "slow-0", "--html")
    assert (tmp_path / "two.html").read_text() == (tmp_path / "compare.html").read_text()
    assert 100_000 < (tmp_path / "two.html").stat().st_size < 5_000_000


def test_markdown_is_for_a_pull_request(folders):
    code, out = compare(folders, "usual-0", "slow-0", "--markdown")
    assert (code, out.startswith("## Comparison: ")) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["usual-0", "nowhere"], "expected a run file, found nothing at nowhere"),
        (["usual-0,usual-0", "slow-0"], "expected each run once on a side"),
        (["usual-0,usual-1", "usual-1,slow-0"], "usual-1 stands on both sides, and not alone"),
        (["usual-0", "slow-0", "--fail-if", "goodput mean > 5%"], "--fail-if: expected a change with its sign"),
        (["usual-0", "slow-0", "--fail-if", "gooput mean > +5%"], "did you mean"),
        (
            ["usual-0", "slow-0", "--sure", "--fail-if", "upload.failed count > +5"],
            "expected a percentile, a mean or a rate",
        ),
        (["usual-0", "slow-0", "--band", "5"], "--band"),
        (["usual-0", "slow-0", "--json", "--markdown"], "expected --json or --markdown, found both"),
        (["usual-0", "slow-0", "--html", "/nowhere/x.html"], "can't be written"),
    ],
)
def test_a_mistake_is_a_sentence_and_exits_2(folders, arguments, sentence):
    code, said = compare(folders, *arguments)
    assert code == 2
    assert sentence in said
