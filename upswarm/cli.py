"""The verbs of the command line."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from upswarm import __version__
from upswarm.errors import EXIT_USAGE, UpswarmError
from upswarm.verbs import options
from upswarm.verbs.audit import audit
from upswarm.verbs.compare import compare
from upswarm.verbs.new import new
from upswarm.verbs.report import report


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Load tests for services that take large files in pieces, built on Locust.

    \b
    Exit codes: 0 all thresholds held · 2 the scenario or the command is wrong
    3 a threshold did not hold · 4 acknowledged files are missing or wrong
    5 the generator itself failed, or the run was cut off
    """


@cli.command(short_help="Run a scenario, headless, to its verdict.")
@click.argument("scenario")
@options.target
@options.users
@options.duration
@click.option("--rate", help=options.ABOUT_RATE)
@click.option("--baseline", metavar="RUN", help="The run that thresholds compare with: its folder, or its run.json.")
@click.option("--events", metavar="FILE", envvar="UPSWARM_EVENTS",
              help="Keep every attempt and every upload in FILE, which ends in .csv or .parquet.")  # fmt: skip
@options.overrides
@options.processes
@options.reports
@options.plain
@options.metrics
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def run(scenario: str, locust_options: tuple[str, ...], **wishes: Any) -> NoReturn:
    """Run SCENARIO (a name from scenarios/, or a path) to its verdict, without a web UI.

    Options for Locust itself may follow after `--`, such as `upswarm run smoke -- --csv out`.
    """
    from upswarm.swarm.launch import run_headless  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_headless(scenario, extra=locust_options, **wishes)


@cli.command(short_help="Break a server of its own under load, and audit what is left.")
@click.argument("scenario", default="crash-drill")
@options.users
@options.duration
@click.option("--rate", help=options.ABOUT_RATE)
@options.overrides
@options.processes
@options.reports
@options.plain
@options.metrics
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def drill(scenario: str, locust_options: tuple[str, ...], **wishes: Any) -> NoReturn:
    """Run SCENARIO against a server of upswarm's own, break things meanwhile, and audit what is left.

    What is broken, and when, is said in the scenario's room `drill`; where there is none, its seed draws it.
    """
    from upswarm.swarm.launch import run_headless  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_headless(scenario, extra=locust_options, drill=True, **wishes)


@cli.command(short_help="Open Locust's web UI.")
@click.argument("scenario", default="smoke")
@options.target
@click.option("--bind", default="127.0.0.1", show_default=True, help="The address at which the page opens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8089, show_default=True, help="Its port; 0 is any free.")
@options.processes
@options.reports
@options.metrics
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def ui(scenario: str, locust_options: tuple[str, ...], **wishes: Any) -> NoReturn:
    """Open Locust's web UI, with SCENARIO in the form.

    Options for Locust itself may follow after `--`, such as `upswarm ui smoke -- --web-base-path /load`.
    """
    from upswarm.swarm.launch import run_ui  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_ui(scenario, extra=locust_options, **wishes)


@cli.command(short_help="Upload for a master on another machine.")
@click.argument("master", metavar="MASTER[:PORT]", type=options.ADDRESS)
@click.option("--processes", type=click.IntRange(-1), help="So many workers at once; -1 is one for each usable CPU.")
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def worker(master: tuple[str, int], processes: int | None, locust_options: tuple[str, ...]) -> NoReturn:
    """Upload for MASTER, which listens at port 5557 unless another one is given, and has the scenario.

    Options for Locust itself may follow after `--`.
    """
    from upswarm.swarm.launch import run_worker  # noqa: PLC0415 (importing Locust patches the interpreter)

    run_worker(master, processes=processes, extra=locust_options)


@cli.command(short_help="Validate a scenario, and say what it would do.")
@click.argument("scenario")
@options.target
@options.users
@options.duration
@click.option("--rate", "rate_per_s", envvar="UPSWARM_RATE", type=options.RATE, help=options.ABOUT_RATE)
@options.overrides
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


@cli.command(short_help="Find the highest load that holds.")
@click.argument("scenario")
@click.option("--until", multiple=True, metavar="OBJECTIVE", help="What must hold, such as "
              "`chunk.response_time p99 < 400ms`; by default the scenario's thresholds.")  # fmt: skip
@click.option("--by", type=click.Choice(["users", "arrivals"]), help="What is raised; by default the scenario's own.")
@click.option("--min", "least", metavar="LOAD", help="The smallest load, such as 4 or 2/s.  [default: 1 or 1/s]")
@click.option("--max", "most", metavar="LOAD", help="The largest load.  [default: 10000 or 10000/s]")
@click.option("--precision", "precision_ratio", type=options.SHARE, default="5%",
              show_default=True, help="How large the gap between what holds and what does not may be.")  # fmt: skip
@click.option("--step", "step_s", type=options.DURATION, default="20s", show_default=True,
              help="How long each load is tried, its warm-up included.")  # fmt: skip
@click.option("--budget", "budget_s", type=options.DURATION, default="10m",
              show_default=True, help="How long the whole search may take.")  # fmt: skip
@options.target
@options.overrides
@options.processes
@options.reports
def capacity(scenario: str, **wishes: Any) -> NoReturn:
    """Find the highest load of SCENARIO that holds the objectives: double it until one breaks, then halve the gap."""
    from upswarm.swarm.search.capacity import find  # noqa: PLC0415 (the other verbs do not need it)
    from upswarm.swarm.search.question import ask  # noqa: PLC0415

    sys.exit(find(ask(scenario, **wishes)))


@cli.command(short_help="Cut uploads: what is kept, and does something buffer?")
@click.argument("scenario")
@options.target
@options.overrides
@click.option("--within", "within_s", type=options.DURATION, default="60s",
              show_default=True, help="After this long no further upload is cut.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of a table and sentences.")
def probe(scenario: str, **wishes: Any) -> NoReturn:
    """Cut uploads to the target of SCENARIO on purpose, and say what it keeps and whether something buffers."""
    from upswarm.swarm.probe import probe as probe_target  # noqa: PLC0415 (the other verbs do not need it)

    sys.exit(probe_target(scenario, **wishes))


@cli.command(
    short_help="Start the reference server alone.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("server_options", nargs=-1, type=click.UNPROCESSED)
def serve(server_options: tuple[str, ...]) -> NoReturn:
    """Start the reference server alone, on gunicorn with gevent workers (`upswarm serve --help` has its options)."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "upswarm_server", *server_options])


cli.add_command(audit)
cli.add_command(compare)
cli.add_command(new)
cli.add_command(report)


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
