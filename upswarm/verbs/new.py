"""The verb `new`: a few questions, or flags in their place, become a scenario in a file."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from upswarm import resources
from upswarm.errors import UsageError
from upswarm.files import write_whole

if TYPE_CHECKING:
    from upswarm.scenario.draft import Draft


@click.command(short_help="Write a scenario by asking a few questions.")
@click.argument("name", required=False)
@click.option("--target", help="A URL, or `embedded`: the reference server, started for the run alone.")
@click.option("--protocol", help="What the server speaks: a name of docs/protocols.md, or module:attribute.")
@click.option("--auth", help="Credentials by the names of variables, such as bearer:UPLOAD_TOKEN; or none.")
@click.option("--content", help="What files are made of, such as random, compressible:3 or corpus:FOLDER.")
@click.option("--size", help="How large files are, such as 16MiB or 1MiB-64MiB.")
@click.option("--users", help="How many users there are; each waits for the last upload.")
@click.option("--rate", help="How many uploads arrive, such as 5/s, instead of users.")
@click.option("--uploads", help="How many uploads there are in all, instead of a duration.")
@click.option("--duration", help="For how long, such as 30s or 5m.")
@click.option("--chunk-size", help="A size such as 8MiB, or `server`.")
@click.option("--threshold", multiple=True, help="What must hold; may be given several times.")
@click.option("-o", "--output", help="Where to write it: a file, or a folder; by default ./NAME.yaml.")
@click.option("-f", "--force", is_flag=True, help="Overwrite the file, if there is one.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: what no flag says is the usual.")
def new(name: str | None, output: str | None, force: bool, yes: bool, **given: Any) -> None:
    """Write a scenario, NAME.yaml, by asking a few questions. Flags answer them before they are asked.

    Without a terminal, or with --yes, nothing is asked.
    """
    from upswarm.verbs.interview import Interview  # noqa: PLC0415 (the other verbs do not need it)

    interview = Interview({"name": name, **given}, asking=not yes and sys.stdin.isatty() and sys.stdout.isatty())
    try:
        called = interview.name(Path(output).stem if output and not _is_folder(output) else "")
        path = _place(called, output, force=force)
        draft = interview.draft(called, path.parent)
    except click.Abort:
        raise UsageError("nothing was written") from None
    for line in _write(draft, path):
        click.echo(line)


def _is_folder(output: str) -> bool:
    return output.endswith(os.sep) or Path(output).is_dir()


def _place(name: str, output: str | None, *, force: bool) -> Path:
    """Where the scenario goes; said to be impossible before anything else is asked."""
    path = Path(output) if output and not _is_folder(output) else Path(output or "", f"{name}.yaml")
    if not path.parent.is_dir():
        raise UsageError(f"expected a folder at {path.parent}, found none", hint="make it, or give another --output")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", hint="--force overwrites it, --output FILE leaves it alone")
    return path


def _write(draft: Draft, path: Path) -> Iterator[str]:
    """Write it, if a run could begin with it, and say what it would do and what comes next."""
    from upswarm.scenario.forecast import Forecast  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.workload.kinds import Override  # noqa: PLC0415

    scenario = draft.scenario(str(path))
    forecast = Forecast.of(scenario, scenario.build_workload().overridden(Override()))
    try:
        write_whole(path, draft.text(_schema_for(path.parent)))
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from error
    yield f"{path} is a valid scenario"
    yield from forecast.lines()
    yield from ("", "next:")
    yield from (f"  export {name}=…" for name in draft.credentials.variables if name not in os.environ)
    yield f"  upswarm run {shlex.quote(str(path))}"


def _schema_for(folder: Path) -> str:
    """Where editors find the schema: relative to a scenario in the same tree, which may be moved as a whole."""
    schema = (resources.folder("scenarios") / "scenario.schema.json").absolute()
    if folder.absolute().is_relative_to(schema.parent.parent):
        return quote(os.path.relpath(schema, folder))
    return schema.as_uri()
