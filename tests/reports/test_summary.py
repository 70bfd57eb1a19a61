"""The terminal summary: verdicts first, aligned, narrow enough, and coloured only when asked."""

from __future__ import annotations

import re

import pytest

from tests.reports import outsiders, runs
from upswarm.reports.summary import terminal_summary
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Verdict
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

HOSTILE = "\033[31m<script>alert(1)</script>\r\n" + "x" * 300


def plain(run: Run) -> str:
    return terminal_summary(run, colour=False)


@pytest.mark.parametrize("build", runs.RUNS.values(), ids=runs.RUNS)
def test_no_line_is_wider_than_100_columns_and_none_ends_in_blanks(build: runs.Build) -> None:
    lines = plain(build()).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines == [line.rstrip() for line in lines]


@pytest.mark.parametrize("build", runs.RUNS.values(), ids=runs.RUNS)
def test_there_are_no_escapes_unless_colour_was_asked_for(build: runs.Build) -> None:
    assert "\033" not in plain(build())
    assert "\033[3" in terminal_summary(build(), colour=True)


def test_colour_changes_nothing_but_colour() -> None:
    coloured = terminal_summary(runs.crashed(), colour=True)
    for escape in ("\033[32m", "\033[31m", "\033[0m"):
        coloured = coloured.replace(escape, "")
    assert coloured == plain(runs.crashed())


def test_verdicts_come_first_in_the_order_of_the_scenario() -> None:
    lines = plain(runs.crashed()).splitlines()
    assert [line[2:].partition("  ")[0] for line in lines[:5]] == list(runs.THRESHOLDS)


def test_the_observed_values_stand_in_one_column() -> None:
    verdicts = plain(runs.good()).splitlines()[:4]
    assert len({line.index("observed") for line in verdicts}) == 1


def test_a_threshold_that_did_not_hold_says_so() -> None:
    line = plain(runs.crashed()).splitlines()[0]
    assert line.startswith("✗ upload.failed count == 0 ")
    assert line.endswith("did not hold")


def test_a_threshold_without_data_says_why_it_does_not_hold() -> None:
    line = plain(runs.crashed()).splitlines()[4]
    assert line.startswith("✗ probe.response_time")
    assert line.endswith("no data                did not hold: not measured")


def test_faults_of_the_generator_come_before_everything() -> None:
    lines = plain(runs.worker_lost()).splitlines()
    assert lines[0] == "The load generator itself failed; nothing below counts as a verdict:"
    assert lines[1] == "! worker bench-3_7f3a3 was lost before it had reported everything"


def test_verdicts_that_do_not_count_have_no_colour() -> None:
    assert "\033[32m" not in terminal_summary(runs.worker_lost(), colour=True)


@pytest.mark.parametrize(
    ("build", "last"),
    [
        (runs.good, "passed: All 4 thresholds held. Exit code 0."),
        (runs.crashed, "failed: 2 of 5 thresholds did not hold. Exit code 3."),
        (runs.silent, "invalid measurement: The load generator itself failed, so no verdict counts. Exit code 5."),
    ],
)
def test_the_last_line_is_the_verdict_with_its_reason_and_exit_code(build: runs.Build, last: str) -> None:
    assert plain(build()).splitlines()[-1] == last


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        ((), "passed: The scenario sets no threshold, so there was nothing to hold."),
        ((Verdict("a", True, "1"),), "passed: The one threshold held."),
        ((Verdict("a", False, "1"),), "failed: The one threshold did not hold: a."),
        ((Verdict("a", False, "1"), Verdict("b", True, "1")), "failed: 1 of 2 thresholds did not hold: a."),
    ],
)
def test_the_reason_is_a_sentence(verdicts: tuple[Verdict, ...], sentence: str) -> None:
    run = runs.run_of(runs.good().measurements, verdicts=verdicts)
    assert plain(run).splitlines()[-1].startswith(sentence)


def test_the_phases_are_a_table_whose_columns_are_aligned() -> None:
    lines = plain(runs.good()).splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("phase"))
    table = lines[head : head + 5]
    assert [line.split()[0] for line in table] == ["phase", "init", "chunk", "finalize", "upload"]
    assert len({len(line) for line in table}) == 1


def test_failures_are_counted_by_kind_and_explained() -> None:
    lines = plain(runs.crashed()).splitlines()
    assert any(re.fullmatch(r" +26 × chunk +refused +nothing listens there: the connection was refused", line)
               for line in lines)  # fmt: skip
    assert any("server_error (503)" in line and "the server failed" in line for line in lines)


def test_below_a_failure_stands_its_first_example_on_one_line() -> None:
    lines = plain(runs.crashed()).splitlines()
    (found,) = [line for line in lines if line.lstrip().startswith("503 not_ready")]
    assert found.strip() == '503 not_ready · at 13.0 s · {"code": "not_ready", "detail": "the catalog is away"}'
    refused = lines.index(next(line for line in lines if " × chunk" in line and "refused" in line))
    assert all(part in lines[refused + 1] for part in ("· at 8.", "file 000007", "PUT /v1/uploads/"))
    assert " × " in lines[refused + 2]
    assert "hunter2" not in "".join(lines)


def test_many_kinds_of_failure_do_not_fill_the_screen() -> None:
    measured = runs.Users(6).run(1, 1.0)
    for status in range(400, 430):
        measured.record_attempt(Attempt(Phase.INIT, 1, 0, 0, 0.1, 0, status, Failure.REJECTED, "x" * 300), 0)
    lines = plain(runs.run_of(measured)).splitlines()
    assert len([line for line in lines if " × " in line]) == 9
    assert any(line.strip() == "22 × 22 other kinds, which the report has" for line in lines)
    assert len(lines) < 50


def test_a_generator_at_its_limit_is_said_before_the_verdicts() -> None:
    head = plain(runs.strained()).partition("✓")[0]
    told = " ".join(head.split())
    assert told.startswith(
        "Warning: the generator was the bottleneck, not the server: 1 of 3 workers (bench-1) had no CPU"
    )
    assert "Warning: the generator was late: 1 of 3 workers (bench-2) ran up to 33.0 ms late" in told
    assert "Warning" not in plain(runs.good())


def test_what_files_took_on_disk_stands_beside_their_size() -> None:
    assert "1 file made: apparent 3.0 GiB, allocated 8.0 KiB" in plain(runs.strained())


def test_no_failure_is_said_and_not_left_out() -> None:
    assert "No attempt and no upload failed." in plain(runs.good())


def test_a_run_without_requests_says_so_once_and_shows_no_zeros() -> None:
    text = plain(runs.silent())
    assert "No request was sent, so there are no times to tell." in text
    assert "No attempt and no upload failed." not in text


def test_attempts_that_the_end_of_the_run_stopped_are_told_apart() -> None:
    assert "which neither succeeded nor failed: 1" in plain(runs.crashed())


def test_the_audit_is_a_verdict_like_the_others() -> None:
    run = runs.run_of(runs.good().measurements, audit=outsiders.audited(intact=7, missing=2))
    lines = plain(run).splitlines()
    assert lines[4] == "✗ audit: 9 of 9 acknowledged files looked at (size, digest): 7 intact, 2 missing"
    assert lines[-1] == "failed: 2 acknowledged files are missing or wrong: the audit asked for 9. Exit code 4."
    intact = runs.run_of(runs.good().measurements, audit=outsiders.audited(intact=9))
    assert "✓ audit: 9 of 9" in plain(intact)
    assert plain(intact).endswith("All 4 thresholds held. The audit found no promise broken. Exit code 0.")


def test_what_a_figure_is_about_stands_beside_it() -> None:
    verdicts = (Verdict("a < baseline * 1.1", False, "412 ms (large, baseline 350 ms)"),
                Verdict("b", False, "no data (small)"))  # fmt: skip
    assert plain(runs.run_of(runs.good().measurements, verdicts=verdicts)).splitlines()[:2] == [
        "✗ a < baseline * 1.1   observed 412 ms (large, baseline 350 ms)   did not hold",
        "✗ b                    no data (small)                            did not hold: not measured",
    ]


def test_or_below_it_where_there_is_no_room() -> None:
    threshold = "chunk.response_time{class=each} p99 < baseline * 1.1"
    verdicts = (Verdict(threshold, False, "412 ms (large, baseline 350 ms)"), Verdict("b", False, "no data (small)"))
    assert plain(runs.run_of(runs.good().measurements, verdicts=verdicts)).splitlines()[:4] == [
        f"✗ {threshold[:43]}…   observed 412 ms   did not hold",
        "    (large, baseline 350 ms)",
        f"✗ b{'':43}   no data           did not hold: not measured",
        "    (small)",
    ]


def test_what_one_has_to_know_of_the_verdicts_follows_them() -> None:
    run = runs.run_of(
        runs.good().measurements,
        aborted_by="goodput mean > 50MiB/s",
        settled=runs.good().measurements,
        warm_up_s=5.0,
        marks=(
            Mark(2.0, MarkKind.STAGE, "4 users, held"),
            *(Mark(n, MarkKind.FAULT, "the server was killed (SIGKILL)", n + 0.5) for n in range(8, 16)),
        ),
    )
    told = plain(run).split("\n\n")[1].splitlines()
    assert told[:2] == [
        "Ended early, for this threshold was broken: goodput mean > 50MiB/s",
        "Thresholds are judged without the warm-up, the first 5.00 s.",
    ]
    assert told[2].startswith("At 8.0 s to 8.5 s the server was killed (SIGKILL): 0 attempts failed")
    assert told[-1] == "And 2 more faults, which the report has"


def test_classes_of_files_stand_side_by_side_where_the_scenario_names_them() -> None:
    measured = runs.Users(8).run(1, 2.0)
    for name in ("huge", "tiny"):
        measured.record_outcome(Outcome(End.FINISHED, name, runs.MIB, 0.0, 1.5, file_class=name), 1)
    named = {"name": "two", "files": [{"name": "tiny"}, {"name": "huge"}]}
    lines = plain(runs.run_of(measured, scenario=named)).splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("class"))
    assert [line.split()[0] for line in lines[head : head + 3]] == ["class", "tiny", "huge"]
    assert len({len(line) for line in lines[head : head + 3]}) == 1
    assert "class" not in plain(runs.run_of(measured, scenario={"files": [{}, {}]}))


def test_names_from_outside_can_neither_colour_nor_break_the_lines() -> None:
    run = runs.run_of(
        runs.good().measurements,
        scenario={"name": HOSTILE},
        target=HOSTILE,
        verdicts=(Verdict(HOSTILE, False, HOSTILE), Verdict(HOSTILE, False, "no data")),
        generator_faults=(HOSTILE,),
    )
    text = plain(run)
    for each in (text, plain(outsiders.hostile(letters=3, many=20))):
        assert "\033" not in each
        assert "\r" not in each
        assert max(map(len, each.splitlines())) <= 100
