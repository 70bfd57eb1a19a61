"""`python -m tests.drill --seconds 600 --seed 7`: the long form; exits with 1 when anything was lost."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.drill import drill


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=drill.__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the server is killed (600)")
    parser.add_argument("--seed", type=int, default=1, help="decides contents, sizes, orders, kinds and pauses (1)")
    parser.add_argument("--clients", type=int, default=5, help="clients that upload at the same time (5)")
    parser.add_argument("--directory", type=Path, help="where to work; it is kept then (a temporary directory)")
    arguments = parser.parse_args()
    if arguments.directory is not None:
        arguments.directory.mkdir(parents=True, exist_ok=True)
        return _drill(arguments, arguments.directory)
    with tempfile.TemporaryDirectory(prefix="upswarm-drill-") as directory:
        return _drill(arguments, Path(directory))


def _drill(arguments: argparse.Namespace, directory: Path) -> int:
    whole = drill.Drill(directory, arguments.seed, arguments.clients, lambda line: print(line, flush=True))
    outcome = whole.run(drill.by_seconds(arguments.seconds))
    print(outcome.table())
    for loss in outcome.losses:
        print(f"LOST: {loss}")
    return 1 if outcome.losses else 0


if __name__ == "__main__":
    sys.exit(main())
