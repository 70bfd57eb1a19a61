"""Every error that upswarm raises on purpose, with the exit code it stands for.

An error message says what was expected, what was found and where; its `hint` says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_THRESHOLD = 3
EXIT_AUDIT = 4
EXIT_GENERATOR = 5


class UpswarmError(Exception):
    """Base of all errors that are meant for the user rather than for a debugger.

    `hint` is one sentence on what to do next, or an empty string.
    """

    exit_code: ClassVar[int] = EXIT_USAGE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(UpswarmError):
    """The command, a setting or the environment is wrong; nothing was started."""


class PluginError(UpswarmError):
    """A name that no plugin answers to."""


class TargetError(UpswarmError):
    """The server under test can't be reached, or answers in a way that makes a run pointless."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a scenario: where it stands (1-based line and column), and what is wrong with it."""

    key: str
    message: str
    line: int = 1
    column: int = 1
    hint: str = ""


class ScenarioError(UpswarmError):
    """One or more mistakes in a scenario file, all of them at once, in the order in which they stand there."""

    def __init__(self, source: str, findings: list[Finding]) -> None:
        self.source = source
        self.findings = sorted(findings, key=lambda finding: (finding.line, finding.column))
        mistakes = "1 mistake" if len(findings) == 1 else f"{len(findings)} mistakes"
        super().__init__("\n".join([f"{source}: {mistakes}", *map(self._line, self.findings)]))

    def _line(self, finding: Finding) -> str:
        hint = f" ({finding.hint})" if finding.hint else ""
        return f"  {self.source}:{finding.line}:{finding.column}: {finding.key}: {finding.message}{hint}"
