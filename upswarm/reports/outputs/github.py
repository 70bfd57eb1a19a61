"""What GitHub's actions show of a run: its summary on the job's page, and annotations for what went wrong.

Both by GitHub's own variables: `GITHUB_STEP_SUMMARY` names a file to append to, and `GITHUB_ACTIONS` says that whoever
reads our output takes lines such as `::error title=…::…` as commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from upswarm.reports import facts, workers
from upswarm.reports.outputs.markdown import markdown
from upswarm.results.run_file import Run

VARIABLES = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")


def told(run: Run, environ: Mapping[str, str]) -> Iterator[str]:
    """Append the summary where GitHub wants it, and give the lines to print; without GitHub nothing happens.

    A summary that can't be written is a line too: the run is none the worse for it.
    """
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(f"{markdown(run)}\n")
        except OSError as error:
            yield f"Note: the summary could not be added to GITHUB_STEP_SUMMARY: {error}"
    if environ.get("GITHUB_ACTIONS") == "true":
        yield from commands(run)


def commands(run: Run) -> Iterator[str]:
    """One command for each fault, each threshold that did not hold, a failed audit and each warning."""
    name = facts.name(run)
    for fault in run.generator_faults:
        yield _command("error", f"{name}: the load generator failed", fault)
    if run.audit is not None and not run.audit.holds:
        yield _command("error", f"{name}: the audit failed", facts.audit(run.audit))
    for verdict in run.failed_verdicts:
        yield _command("error", f"{name}: {verdict.threshold}", f"did not hold: observed {verdict.observed}")
    for warning in workers.warnings(run):
        yield _command("warning", f"{name}: the load generator", warning)


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_message(message)}"


def _message(text: str) -> str:
    """As the runner reads it back; a line that ended earlier could be a command of its own.

    Letters that can't be shown, colours of a terminal and halves of letters among them, are question marks.
    """
    seen = "".join(letter if letter.isprintable() or letter in "\r\n" else "?" for letter in text)
    return seen.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
