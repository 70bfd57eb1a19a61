"""The options that the benchmarks share, and how they end when something is missing."""

from __future__ import annotations

import argparse
import json
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import installs, machine
from benchmarks.client import UnsuccessfulError
from benchmarks.servers import NotStartedError
from upswarm.units import UnitError, parse_size

MEMORY, DISK = Path("/dev/shm"), Path("/var/tmp")
_OF_THIS_USER = {"cache", "json"}
EXIT_USAGE = 2
EXIT_FAILED = 1


def parser(doc: str, *, dirs: bool = False, workers: bool = True) -> argparse.ArgumentParser:
    """A parser with what all benchmarks know; `dirs`: they run in several directories."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    if dirs:
        made.add_argument("--dirs", type=paths, default=[MEMORY, DISK], help="where servers keep their files")
    else:
        made.add_argument("--dir", type=Path, default=MEMORY, help="where servers keep their files")
    if workers:
        made.add_argument("--workers", type=int, default=2, help="processes of each server")
    made.add_argument("--json", type=Path, help="write what was measured into this file")
    return made


def paths(text: str) -> list[Path]:
    """`/dev/shm,/var/tmp`."""
    return [Path(word) for word in text.split(",")]


def size(text: str) -> int:
    """`8MiB` as bytes."""
    try:
        return parse_size(text)
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def sizes(text: str) -> list[int]:
    """`5MiB,64KiB` as bytes."""
    return [size(word) for word in text.split(",")]


def numbers(text: str) -> list[int]:
    """`1,8,64`."""
    return [int(word) for word in text.split(",")]


def words(text: str) -> list[str]:
    """`nginx,tus`."""
    return [word for word in text.split(",") if word]


def run(main: Callable[[argparse.Namespace], dict[str, Any]], made: argparse.ArgumentParser) -> int:
    """Run a benchmark that returns what goes into its JSON beside machine and options.

    The exit code: 1 when it lists `failures`, or could not be run at all, 2 when a tool is missing.
    """
    asked = made.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    _allow_many_files()
    described = machine.describe(asked.dirs if "dirs" in asked else [asked.dir])
    print(machine.sentence(described), end="\n\n", flush=True)
    try:
        found = main(asked)
    except (installs.MissingToolError, NotStartedError, UnsuccessfulError) as error:
        print(f"{made.prog}: {error}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, installs.MissingToolError) else EXIT_FAILED
    if asked.json:
        options = {name: value for name, value in vars(asked).items() if name not in _OF_THIS_USER}
        document = {"machine": described, "options": options, **found}
        asked.json.write_text(json.dumps(document, indent=2, default=str) + "\n")
    return EXIT_FAILED if found.get("failures") else 0


def _leave(signum: int, frame: object) -> None:
    sys.exit(128 + signum)  # through all `finally`, so that servers and directories are gone


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
