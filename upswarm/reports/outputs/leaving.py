"""What a run leaves in its folder: the run file, a page, and short forms for pull requests and for CI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from upswarm.reports.html import write_report
from upswarm.reports.outputs.junit import write_junit
from upswarm.reports.outputs.markdown import write_markdown
from upswarm.results.run_file import Run

Left = tuple[str, Path]
"""What a file is, in a word, and where it lies."""

_MADE_OF_IT: dict[str, Callable[[Run, Path], Path]] = {
    "report": write_report,
    "summary": write_markdown,
    "junit xml": write_junit,
}


def leave(run: Run, folder: Path) -> tuple[Run, list[Left]]:
    """Write everything; returns the run, and what could be written.

    What can't be is a fault of the generator, in the run that is returned and in the files that can be written: whoever
    looks for it later must not find a success.
    """
    left, fault = _leave(run, folder)
    if fault:
        run = replace(run, generator_faults=(*run.generator_faults, fault))
        left, _ = _leave(run, folder)
    return run, left


def rewrite(run: Run, folder: Path) -> list[Left]:
    """Write anew whatever is made of the run file; raises `OSError`."""
    return [(what, write(run, folder)) for what, write in _MADE_OF_IT.items()]


def lines(left: list[Left]) -> str:
    """A line for each file, for people."""
    return "".join(f"{what:9} {path}\n" for what, path in left)


def _leave(run: Run, folder: Path) -> tuple[list[Left], str]:
    left: list[Left] = []
    failed: dict[str, str] = {}
    for what, write in {"run file": Run.save, **_MADE_OF_IT}.items():
        try:
            left.append((what, write(run, folder)))
        except OSError as error:
            failed[what] = str(error)
        except Exception as error:  # a mistake of ours in one of them: the run is to have its verdict all the same
            failed[what] = repr(error)
    what, *others = failed or [""]
    if not what:
        return left, ""
    return left, f"the {what} could not be written: {failed[what]}" + "".join(f", nor the {each}" for each in others)
