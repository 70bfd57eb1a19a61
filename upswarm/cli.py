"""The verbs of the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from upswarm import __version__, units
from upswarm.errors import EXIT_USAGE, UpswarmError, UsageError
from upswarm.verbs.audit import audit
from upswarm.verbs.compare import compare
from upswarm.verbs.new import new

DEFAULT_REPORTS = Path("reports")
_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Quantity(click.ParamType[float]):
    """A quantity that `upswarm.units` reads."""

    def __init__(self, name: str, parse: Callable[[object], float]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number in the house's own unit."""
        try:
            return self._parse(value)
        except units.UnitError as error:
            self.fail(str(error), param, ctx)


_users = click.option("-u", "--users", type=click.IntRange(1), help="This many users instead of the scenario's stages.")
_duration = click.option(
    "-t",
    "--duration",
    "duration_s",
    type=_Quantity("duration", units.parse_duration),
    help="How long, such as 30s or 5m.",
)
_target = click.option("--target", help="A URL, or `embedded`, instead of the scenario's target.")
_processes = click.option("--processes", type=click.IntRange(1), help="Spread users over this many worker processes.")
_reports = click.option("--reports", type=click.Path(path_type=Path), default=DEFAULT_REPORTS, show_default=True,
                        envvar="UPSWARM_REPORTS", help="The folder below which the run leaves its own.")  # fmt: skip
_plain = click.option("--plain", is_flag=True, help="A line per moment, instead of a view drawn on the terminal.")


def _metrics(command: _Command) -> _Command:
    """Where figures are offered to Prometheus."""
    bind = click.option("--metrics-bind", help="The address at which /metrics is offered.  [default: 127.0.0.1]")
    port = click.option("--metrics-port", type=click.IntRange(0, 65535),
                        help="Offer /metrics for Prometheus at this port; 0 is any free.")  # fmt: skip
    return port(bind(command))


_RATE = "So many arrivals per second, such as 20/s, instead of the scenario's workload."
_OVERRIDES = {
    "protocol": "What the target speaks, instead of the scenario's protocol.",
    "content": "What all files are made of, such as random, compressible:3 or corpus:FOLDER.",
    "chunk-size": "A size such as 8MiB, or `server`.",
    "parallel-chunks": "How many chunks of one upload travel at the same time.",
    "digest": "A digest sent with each chunk: none, crc32c or sha256.",
}


def _overrides(command: _Command) -> _Command:
    """What a run may have otherwise than its scenario says, in the notation of the YAML."""
    for name, about in reversed(_OVERRIDES.items()):
        variable = f"UPSWARM_{name.replace('-', '_').upper()}"
        command = click.option(f"--{name}", envvar=variable, help=about)(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Load tests for services that take large files in pieces, built on Locust.

    \b
    Exit codes: 0 all thresholds held · 2 the scenario or the command is wrong
    3 a threshold did not hold · 4 acknowledged files are missing or wrong
    5 the generator itself failed, or the run was cut off
    """


@cli.command()
@click.argument("scenario")
@_target
@_users
@_duration
@click.option("--rate", help=_RATE)
@click.option("--baseline", metavar="RUN", help="The run that thresholds compare with: its folder, or its run.json.")
@click.option("--events", metavar="FILE", envvar="UPSWARM_EVENTS",
              help="Keep every attempt and every upload in FILE, which ends in .csv or .parquet.")  # fmt: skip
@_overrides
@_processes
@_reports
@_plain
@_metrics
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def run(scenario: str, locust_options: tuple[str, ...], **wishes: Any) -> NoReturn:
    """Run SCENARIO (a name from scenarios/, or a path) to its verdict, without a web UI.

    Options for Locust itself may follow after `--`, such as `upswarm run smoke -- --csv out`.
    """
    from upswarm.swarm.launch import run_headless  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_headless(scenario, extra=locust_options, **wishes)


@cli.command()
@click.argument("scenario", default="crash-drill")
@_users
@_duration
@click.option("--rate", help=_RATE)
@_overrides
@_processes
@_reports
@_plain
@_metrics
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def drill(scenario: str, locust_options: tuple[str, ...], **wishes: Any) -> NoReturn:
    """Run SCENARIO against a server of upswarm's own, break things meanwhile, and audit what is left.

    What is broken, and when, is said in the scenario's room `drill`; where there is none, its seed draws it.
    """
    from upswarm.swarm.launch import run_headless  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_headless(scenario, extra=locust_options, drill=True, **wishes)


@cli.command()
@click.argument("scenario", default="smoke")
@_target
@click.option("--bind", default="127.0.0.1", show_default=True, help="The address at which the page opens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8089, show_default=True, help="Its port; 0 is any free.")
@_processes
@_reports
@_metrics
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def ui(scenario: str, locust_options: tuple[str, ...], **wishes: Any) -> NoReturn:
    """Open Locust's web UI, with SCENARIO in the form.

    Options for Locust itself may follow after `--`, such as `upswarm ui smoke -- --web-base-path /load`.
    """
    from upswarm.swarm.launch import run_ui  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_ui(scenario, extra=locust_options, **wishes)


@cli.command()
@click.argument("scenario")
@_target
@_users
@_duration
@click.option("--rate", "rate_per_s", envvar="UPSWARM_RATE", type=_Quantity("rate", units.parse_rate), help=_RATE)
@_overrides
def check(scenario: str, target: str | None, users: int | None, duration_s: float | None, rate_per_s: float | None,
          **overrides: str | None) -> None:  # fmt: skip
    """Validate SCENARIO, and say what it would do: how long, how many bytes, how many requests."""
    from upswarm.scenario import forecast, library, loader  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.scenario.expectations import check_warm_up  # noqa: PLC0415
    from upswarm.scenario.overrides import Overrides  # noqa: PLC0415
    from upswarm.swarm.drill.preparing import acts_of  # noqa: PLC0415
    from upswarm.swarm.target import chosen  # noqa: PLC0415
    from upswarm.workload.kinds import Override  # noqa: PLC0415

    path = library.find(scenario)
    loaded = Overrides(**overrides).applied_to(loader.load(path), target)
    url = chosen(target, loaded)
    workload = loaded.build_workload().overridden(Override(users, None, duration_s, rate_per_s))
    check_warm_up(loaded.warm_up, workload)
    acts_of(loaded, workload, url)
    click.echo(f"{path} is a valid scenario")
    for line in forecast.Forecast.of(loaded, workload, url).lines():
        click.echo(line)


@cli.command()
@click.argument("scenario")
@click.option("--until", multiple=True, metavar="OBJECTIVE", help="What must hold, such as "
              "`chunk.response_time p99 < 400ms`; by default the scenario's thresholds.")  # fmt: skip
@click.option("--by", type=click.Choice(["users", "arrivals"]), help="What is raised; by default the scenario's own.")
@click.option("--min", "least", metavar="LOAD", help="The smallest load, such as 4 or 2/s.  [default: 1 or 1/s]")
@click.option("--max", "most", metavar="LOAD", help="The largest load.  [default: 10000 or 10000/s]")
@click.option("--precision", "precision_ratio", type=_Quantity("share", units.parse_ratio), default="5%",
              show_default=True, help="How large the gap between what holds and what does not may be.")  # fmt: skip
@click.option("--step", "step_s", type=_Quantity("duration", units.parse_duration), default="20s", show_default=True,
              help="How long each load is tried, its warm-up included.")  # fmt: skip
@click.option("--budget", "budget_s", type=_Quantity("duration", units.parse_duration), default="10m",
              show_default=True, help="How long the whole search may take.")  # fmt: skip
@_target
@_overrides
@_processes
@_reports
def capacity(scenario: str, **wishes: Any) -> NoReturn:
    """Find the highest load of SCENARIO that holds the objectives: double it until one breaks, then halve the gap."""
    from upswarm.swarm.search.capacity import find  # noqa: PLC0415 (the other verbs do not need it)
    from upswarm.swarm.search.question import ask  # noqa: PLC0415

    sys.exit(find(ask(scenario, **wishes)))


@cli.command()
@click.argument("scenario")
@_target
@_overrides
@click.option("--within", "within_s", type=_Quantity("duration", units.parse_duration), default="60s",
              show_default=True, help="After this long no further upload is cut.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of a table and sentences.")
def probe(scenario: str, **wishes: Any) -> NoReturn:
    """Cut uploads to the target of SCENARIO on purpose, and say what it keeps and whether something buffers."""
    from upswarm.swarm.probe import probe as probe_target  # noqa: PLC0415 (the other verbs do not need it)

    sys.exit(probe_target(scenario, **wishes))


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("server_options", nargs=-1, type=click.UNPROCESSED)
def serve(server_options: tuple[str, ...]) -> NoReturn:
    """Start the reference server alone, on gunicorn with gevent workers (`upswarm serve --help` has its options)."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "upswarm_server.serve", *server_options])


@cli.command()
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


cli.add_command(audit)
cli.add_command(compare)
cli.add_command(new)


def main() -> NoReturn:
    """The console script: every error that is meant for the user is a sentence and an exit code."""
    try:
        cli(standalone_mode=True)
    except UpswarmError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
