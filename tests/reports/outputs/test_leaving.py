"""What lies in a run's folder afterwards, and what happens where something can't be written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml
from click.testing import CliRunner

from tests.reports import runs
from upswarm.cli import cli
from upswarm.errors import UsageError
from upswarm.reports.outputs.csv_files import CSV_FILES
from upswarm.reports.outputs.leaving import leave
from upswarm.results.run_file import Run

ROOT = Path(__file__).parents[3]
FILES = {"run.json", "report.html", "summary.md", "junit.xml"}


def test_a_run_leaves_its_file_a_page_and_the_short_forms(tmp_path: Path) -> None:
    run, left = leave(runs.crashed(), tmp_path)
    assert run is runs.crashed()
    assert [what for what, _ in left] == ["run file", "report", "summary", "junit xml"]
    assert {path.name for _, path in left} == {path.name for path in tmp_path.iterdir()} == FILES


def test_a_file_that_can_not_be_written_is_a_fault_that_the_others_tell_of(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    run, left = leave(runs.good(), tmp_path)
    (fault,) = run.generator_faults
    assert fault.startswith("the report could not be written: ")
    assert (run.exit_code, Run.load(tmp_path).exit_code) == (5, 5)
    assert [what for what, _ in left] == ["run file", "summary", "junit xml"]
    assert "the report could not be written" in (tmp_path / "junit.xml").read_text()


def test_where_nothing_can_be_written_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    run, left = leave(runs.good(), tmp_path / "file" / "folder")
    (fault,) = run.generator_faults
    assert fault.startswith("the run file could not be written: ")
    assert fault.endswith(", nor the report, nor the summary, nor the junit xml")
    assert left == []


def test_the_command_writes_anew_what_is_made_of_the_run_file(tmp_path: Path) -> None:
    before = runs.crashed().save(tmp_path).read_bytes()
    result = CliRunner().invoke(cli, ["report", str(tmp_path / "run.json")])
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert (tmp_path / "run.json").read_bytes() == before
    assert [line.split()[0] for line in result.output.splitlines()[-3:]] == ["report", "summary", "junit"]


def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    runs.good().save(tmp_path)
    (tmp_path / "report.html").mkdir()
    result = CliRunner().invoke(cli, ["report", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(f"{tmp_path} can't be written: ")
    assert "Exit code 0." in result.output, "the summary is there all the same"


def test_the_readme_of_the_folder_names_every_file() -> None:
    readme = (ROOT / "reports" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\| (`.+?) \|", readme, re.MULTILINE)))
    assert FILES | set(CSV_FILES) <= set(named)


def test_the_jobs_of_the_documentation_can_be_read_and_their_commands_are_ours() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    github, gitlab = map(yaml.safe_load, re.findall(r"^```yaml\n(.+?)^```$", page, re.MULTILINE | re.DOTALL))
    steps = [step.get("run", "") for step in github["jobs"]["uploads"]["steps"]]
    for command in (*steps, *gitlab["load"]["script"], *re.findall(r"^upswarm .+$", page, re.MULTILINE)):
        words = shlex.split(command.partition("|")[0])
        if words[:1] == ["upswarm"]:
            group = cli.commands[words[1]]
            group.make_context(words[1], words[2:], resilient_parsing=False).close()
