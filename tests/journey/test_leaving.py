"""What a real run leaves for machines and for people in a hurry, and what GitHub is told of it."""

from __future__ import annotations

from pathlib import Path

from junitparser import JUnitXml

from tests.journey.runs import Workshop
from upswarm.results.marks import MarkKind

TOO_FAST = "chunk.response_time p50 < 1us"


def test_a_run_on_github_adds_its_summary_and_annotates_what_did_not_hold(tmp_path: Path) -> None:
    summary = tmp_path / "step-summary"
    summary.write_text("# The job\n")
    workshop = Workshop(tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    scenario = Path(workshop.scenario(hold="1s"))
    scenario.write_text(scenario.read_text().replace("upload.finished count >= 5", TOO_FAST))

    ended = workshop.upswarm("run", str(scenario))
    assert ended.code == 3, ended.err
    (folder,) = workshop.reports.iterdir()

    (error,) = [line for line in ended.out.splitlines() if line.startswith("::error ")]
    assert error.startswith(f"::error title=journey%3A {TOO_FAST}::did not hold: observed ")

    left = (folder / "summary.md").read_text(encoding="utf-8")
    assert left.startswith("## ❌ `journey`: failed\n")
    assert summary.read_text(encoding="utf-8") == f"# The job\n{left}\n"
    for name in ("summary.md", "junit.xml"):
        assert str(Path("reports", folder.name, name)) in ended.out

    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    assert {case.name: case.is_passed for case in suite} == {
        "upload.failed count == 0": True,
        TOO_FAST: False,
        "load generator": True,
    }
    assert [(mark.at_s, mark.kind, mark.sentence) for mark in workshop.run().marks] == [
        (1.0, MarkKind.STAGE, "3 users, held")
    ]
