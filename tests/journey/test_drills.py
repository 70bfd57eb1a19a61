"""Drills for real: our own server keeps its word whatever is done to it, and one that does not is found out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.journey.ahead import Ahead, ahead
from tests.journey.runs import Ended, Workshop
from upswarm import resources
from upswarm.reports.costs import cost_of
from upswarm.results.audit_record import Fate
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run

AT_A_TIME = 2
SHORT = """\
name: short
seed: 3
files: [{size: 1MiB, content: random}]
transfer: {chunk_size: 128KiB, bandwidth: 1MiB/s, retry: {attempts: 40, base: 50ms, cap: 500ms}}
workload: {users: {stages: [{to: 4, over: 0s}, {hold: 4s}]}}
drill: {acts: [{do: kill_server, at: 1s, for: 200ms}], recovery: 2s}
"""
KILL, CUT = "kill_server, at: 1s, for: 200ms}]", "cut_network, at: 1s, for: 200ms}], network: proxy"
KILL_ONE_OF_OURS = "  acts:\n    - {do: kill_worker, at: 700ms}\n"
BUG = {"UPSWARM_PLANTED_BUG": "acknowledge_early"}
Runs = Ahead[tuple[Ended, Run]]


def crash_drill() -> str:
    """The one that comes with upswarm, and a worker of the load is killed too."""
    written = (resources.folder("scenarios") / "crash-drill.yaml").read_text()
    return written.replace("  acts:\n", KILL_ONE_OF_OURS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Side by side, the longest one first. Both of upswarm's own have four seconds more to get over their acts."""

    def drilled(name: str, text: str, *options: str, **environ: str) -> tuple[Ended, Run]:
        workshop = Workshop(tmp_path_factory.mktemp(name), **environ)
        (workshop.folder / f"{name}.yaml").write_text(text)
        return workshop.upswarm("drill", f"{name}.yaml", *options), workshop.run()

    full = (resources.folder("scenarios") / "disk-full-drill.yaml").read_text()
    drills = {
        "crash": partial(drilled, "crash", crash_drill(), "--processes", "2", "--duration", "17s"),
        "full": partial(drilled, "full", full, "--duration", "13s"),
        "bug": partial(drilled, "short", SHORT, **BUG),
        "nobody killed": partial(drilled, "cut", SHORT.replace(KILL, CUT), **BUG),
    }
    with ahead(drills, AT_A_TIME) as runs:
        yield runs


def faults(run: Run) -> list[Mark]:
    return [mark for mark in run.marks if mark.kind is MarkKind.FAULT]


@pytest.mark.parametrize("name", ["crash", "full"])
def test_our_own_server_loses_nothing(name: str, runs: Runs) -> None:
    ended, run = runs.of(name)
    assert ended.code == 0, ended.out + ended.err
    assert run.generator_faults == ()
    assert run.audit is not None
    assert run.audit.counts[Fate.INTACT] == run.audit.asked >= run.measurements.uploads.finished > 10
    assert run.audit.broken == 0


def test_every_act_is_marked_and_over_when_it_works_again(runs: Runs) -> None:
    ended, run = runs.of("crash")
    marks = faults(run)
    assert [mark.sentence.partition(" (")[0] for mark in marks] == [
        "a worker of the load was killed",
        "a worker of the server was killed",
        "the server was killed",
        "the server stood still",
        "the network was cut for 1.00 s",
        "the network was slow for 1.50 s",
    ]
    assert marks[0].until_s is None
    for mark, lasting_s in zip(marks[1:], (0, 0.5, 1, 1, 1.5), strict=True):
        assert mark.until_s is not None
        assert mark.until_s - mark.at_s >= lasting_s
        assert mark.sentence in " ".join(ended.out.split())


def test_what_the_server_stood_still_for_is_in_the_costs(runs: Runs) -> None:
    _, run = runs.of("crash")
    stood_still = faults(run)[3]
    assert cost_of(run, stood_still).longest_gap_s >= 0.5


def test_the_disk_was_really_full(runs: Runs) -> None:
    ended, _ = runs.of("full")
    assert "507" in ended.out


def test_a_server_that_acknowledges_too_early_is_found_out(runs: Runs) -> None:
    ended, run = runs.of("bug")
    assert ended.code == 4, ended.out + ended.err
    assert "THIS SERVER LOSES FILES ON PURPOSE" in ended.err
    assert run.audit is not None
    assert run.audit.counts[Fate.CORRUPT] >= 1
    assert any(problem.fate is Fate.CORRUPT for problem in run.audit.problems)


def test_where_no_process_is_killed_the_bug_is_not_found(runs: Runs) -> None:
    ended, run = runs.of("nobody killed")
    assert ended.code == 0, ended.out + ended.err
    assert "THIS SERVER LOSES FILES ON PURPOSE" in ended.err
    assert run.audit is not None
    assert run.audit.broken == 0
    assert [mark.sentence for mark in faults(run)] == ["the network was cut for 200 ms (connections were reset)"]
    assert run.notes == ("after 0.0 s the drill's network is a TCP proxy",)
