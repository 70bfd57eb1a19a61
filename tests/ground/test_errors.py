import pytest

from upswarm import errors


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.UsageError("x"), 2),
        (errors.PluginError("x"), 2),
        (errors.TargetError("x"), 2),
        (errors.ScenarioError("s.yaml", []), 2),
    ],
)
def test_every_error_has_its_exit_code(error, exit_code):
    assert error.exit_code == exit_code
    assert isinstance(error, errors.UpswarmError)


def test_a_hint_stands_under_the_message():
    assert str(errors.UsageError("port taken", hint="take another")) == "port taken\n  take another"
    assert str(errors.UsageError("port taken")) == "port taken"


def test_all_findings_come_at_once_in_the_order_of_the_file():
    error = errors.ScenarioError(
        "s.yaml",
        [
            errors.Finding("files", "expected a list", line=9, column=1),
            errors.Finding("target.ur", "unknown key", line=2, column=3, hint='did you mean "url"?'),
        ],
    )
    assert str(error).splitlines() == [
        "s.yaml: 2 mistakes",
        '  s.yaml:2:3: target.ur: unknown key (did you mean "url"?)',
        "  s.yaml:9:1: files: expected a list",
    ]


def test_one_finding_is_one_mistake():
    assert "s.yaml: 1 mistake\n" in str(errors.ScenarioError("s.yaml", [errors.Finding("name", "is missing")]))
