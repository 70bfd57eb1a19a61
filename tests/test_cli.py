"""The verbs: each explains itself, and each is documented."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from upswarm import errors
from upswarm.cli import cli
from upswarm.swarm.options import add_options

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("verb", sorted(cli.commands))
def test_every_verb_stands_in_the_readme(verb: str) -> None:
    assert f"upswarm {verb}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("verb", sorted(set(cli.commands) - {"serve"}))
def test_every_option_says_what_it_does(verb: str) -> None:
    result = CliRunner().invoke(cli, [verb, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    options = [each for each in cli.commands[verb].params if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument 'SCENARIO'"),
        (["rum"], "Did you mean 'run'?"),
        (["check", "smoke", "--duration", "5"], "expected a duration such as 200ms, 30s or 2m, found '5'"),
        (["check", "smoke", "--users", "0"], "0 is not in the range x>=1"),
        (["worker"], "Missing argument 'MASTER[:PORT]'"),
        (["worker", "master:http"], "expected the master as HOST or HOST:PORT, found 'master:http'"),
        (["worker", "http://master:5557"], "expected the master as HOST or HOST:PORT, found 'http://master:5557'"),
    ],
)
def test_a_wrong_command_is_told_what_was_expected(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_check_says_what_a_scenario_would_do() -> None:
    result = CliRunner().invoke(cli, ["check", "smoke", "--users", "7", "--duration", "3s"])
    assert result.exit_code == 0
    assert "for       3.00 s, at most 7 users" in result.output
    assert "must hold upload.failed count == 0" in result.output


def test_check_says_what_overrides_would_do() -> None:
    result = CliRunner().invoke(
        cli,
        ["check", "smoke", "--target", "http://h:1", "--protocol", "tus", "--chunk-size", "1MiB", "--rate", "3/s"],
        env={"UPSWARM_CONTENT": "compressible:3"},
    )
    assert result.exit_code == 0
    assert "target    http://h:1, protocol tus" in result.output
    assert "for       10.0 s, up to 3 arrivals/s, at most 500 in flight" in result.output
    assert "7.0 MiB in at most 9.6 requests" in result.output  # 7 chunks of 1 MiB, init and finalize


@pytest.mark.parametrize("verb", ["check", "run"])
def test_all_overrides_that_can_not_be_are_said_at_once(verb: str) -> None:
    wrong = {"UPSWARM_DIGEST": "md5", "UPSWARM_CONTENT": "randum"}
    command = [sys.executable, "-m", "upswarm.cli", verb, "smoke", "--chunk-size", "8 parsecs"]
    done = subprocess.run(command, env={**os.environ, **wrong}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(line.partition(": expected ")[0] for line in done.stderr.splitlines()) == [
        "--chunk-size", "--content", "--digest",
    ]  # fmt: skip


DOCS = ROOT / "docs"
RUNNING = (DOCS / "running.md").read_text()
PAGES_OF_THEIR_OWN = {
    "audit": "audit.md", "capacity": "capacity.md", "compare": "comparing.md", "probe": "probe.md", "ui": "web-ui.md",
}  # fmt: skip


@pytest.mark.parametrize("verb", sorted(set(cli.commands) - {"serve"}))
def test_every_option_is_documented(verb: str) -> None:
    page = (DOCS / PAGES_OF_THEIR_OWN.get(verb, "running.md")).read_text()
    options = [each for each in cli.commands[verb].params if isinstance(each, click.Option)]
    assert [name for option in options for name in option.opts if f"`{name}`" not in page] == []


def commands_of_the_docs() -> set[str]:
    """What stands in code blocks behind `upswarm`, without what a shell makes of it."""
    pages = [ROOT / "README.md", *DOCS.glob("*.md")]
    found = (
        re.findall(r"^ *(?:\.venv/bin/|[A-Z_]+=\S+ )?upswarm ([a-z]+(?: .*)?)$", page.read_text(), re.M)
        for page in pages
    )
    lines = {re.split(r" +#| \|| \\\\?$", line)[0] for page in found for line in page}
    return {re.sub(r"[][]", "", line) for line in lines if line.split()[0] in cli.commands and "$" not in line}


@pytest.mark.parametrize("line", sorted(commands_of_the_docs()))
def test_every_command_of_the_docs_can_be_given(line: str) -> None:
    verb, *arguments = shlex.split(line)
    cli.commands[verb].make_context(verb, ["1" if each == "N" else each for each in arguments])


def test_every_exit_code_is_documented() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert [code for code in codes if f"\n| {code} |" not in RUNNING] == []


def test_every_option_that_we_add_to_locust_is_documented() -> None:
    added: list[str] = []

    class Parser:
        def add_argument(self, name: str, *, env_var: str, **_: object) -> None:
            added.extend((name, env_var))

    add_options(Parser())
    assert added
    assert [name for name in added if f"`{name}`" not in RUNNING] == []


def test_every_scenario_is_documented_and_no_other_is() -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text()
    table = page.partition("\n## Scenarios that come with upswarm\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
