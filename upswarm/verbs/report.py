"""The verb `report`: a run that is over is shown again, and what was made of it is written anew."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from upswarm.errors import UsageError


@click.command(short_help="Show a run again, and write its report anew.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True,
              help="Write phases.csv, series.csv, workers.csv and errors.csv beside it too.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True,
              help="Print verdict and metrics as JSON instead, and write nothing but what --csv asks for.")  # fmt: skip
def report(run: Path, as_csv: bool, as_json: bool) -> None:
    """Show the summary of RUN (a folder below reports/, or its run.json), and write anew what was made of it.

    That is report.html, summary.md and junit.xml.
    """
    from upswarm.reports.outputs import leaving  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.reports.outputs.csv_files import write_csv  # noqa: PLC0415
    from upswarm.reports.outputs.json_document import json_text  # noqa: PLC0415
    from upswarm.reports.summary import terminal_summary  # noqa: PLC0415
    from upswarm.results.run_file import Run  # noqa: PLC0415

    loaded = Run.load(run)
    folder = run if run.is_dir() else run.parent
    click.echo(json_text(loaded) if as_json else terminal_summary(loaded, colour=sys.stdout.isatty()))
    try:
        left = [] if as_json else leaving.rewrite(loaded, folder)
        left += [("csv", path) for path in write_csv(loaded, folder)] if as_csv else []
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {error.strerror or error}",
                         hint="--json prints figures and writes nothing") from error  # fmt: skip
    click.echo(leaving.lines(left), nl=False, err=as_json)
