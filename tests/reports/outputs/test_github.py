"""What GitHub is told of a run: commands that nothing from outside can forge, and a summary that is appended."""

from __future__ import annotations

from pathlib import Path

from tests.reports import outsiders, runs
from upswarm.reports.outputs.github import commands, told
from upswarm.reports.outputs.markdown import markdown


def test_without_github_nothing_is_said() -> None:
    assert list(told(runs.crashed(), {})) == []
    assert list(told(runs.crashed(), {"GITHUB_ACTIONS": "false", "GITHUB_STEP_SUMMARY": ""})) == []


def test_each_threshold_that_did_not_hold_is_an_error() -> None:
    assert list(commands(runs.crashed())) == [
        "::error title=evening-rush%3A upload.failed count == 0::did not hold: observed 8",
        "::error title=evening-rush%3A probe.response_time p95 < 1s::did not hold: observed no data",
    ]
    assert list(commands(runs.good())) == []


def test_faults_and_a_failed_audit_are_errors_and_a_slow_generator_a_warning() -> None:
    broken = runs.run_of(runs.good().measurements, audit=outsiders.audited(intact=7, missing=2))
    assert next(commands(broken)).startswith("::error title=evening-rush%3A the audit failed::9 of 9 acknowledged")
    assert list(commands(runs.silent()))[1].endswith("%3A the load generator failed::no request was sent")
    assert [line.partition(" ")[0] for line in commands(runs.strained())][-1] == "::warning"


def test_nothing_from_outside_ends_a_command_or_begins_another() -> None:
    for line in commands(outsiders.hostile()):
        assert "\n" not in line
        assert "\r" not in line
        _, title, message = line.split("::", 2)
        assert "," not in title
        assert ":" not in title
        assert "%0A" in title
        assert "%250A" in message
        assert line.isprintable(), "nor paints, nor stops the terminal that can't write it"


def test_the_summary_is_added_to_what_stands_there(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n")
    assert list(told(runs.good(), {"GITHUB_STEP_SUMMARY": str(file)})) == []
    assert file.read_text() == f"before\n{markdown(runs.good())}\n"


def test_a_summary_that_can_not_be_written_is_a_note(tmp_path: Path) -> None:
    (line,) = told(runs.good(), {"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert line.startswith("Note: the summary could not be added to GITHUB_STEP_SUMMARY: ")
