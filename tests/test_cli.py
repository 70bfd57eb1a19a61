"""The verbs: each explains itself, and each is documented."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from upswarm.cli import cli

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
