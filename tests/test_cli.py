"""The verbs: each explains itself, and each is documented."""

from __future__ import annotations

import re
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


RUNNING = (ROOT / "docs" / "running.md").read_text()


@pytest.mark.parametrize("verb", sorted(set(cli.commands) - {"serve"}))
def test_every_option_is_documented(verb: str) -> None:
    options = [each for each in cli.commands[verb].params if isinstance(each, click.Option)]
    assert [name for option in options for name in option.opts if f"`{name}`" not in RUNNING] == []


def test_every_exit_code_is_documented() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert [code for code in codes if f"\n| {code} |" not in RUNNING] == []


def test_every_option_that_we_add_to_locust_is_documented() -> None:
    added: list[str] = []

    class Parser:
        def add_argument(self, name: str, **_: object) -> None:
            added.append(name)

    add_options(Parser())
    assert added
    assert [name for name in added if f"`{name}`" not in RUNNING] == []


def test_every_scenario_is_documented_and_no_other_is() -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text()
    table = page.partition("\n## Scenarios that come with upswarm\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
