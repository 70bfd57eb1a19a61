"""Options that several verbs have: each is said once, with its help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from upswarm import units

Command = TypeVar("Command", bound=Callable[..., Any])


class Quantity(click.ParamType[float]):
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


MASTER_PORT = 5557
"""Where a master listens: Locust's own default."""


class Address(click.ParamType[tuple[str, int]]):
    """`HOST` or `HOST:PORT` of a master; an IPv6 address with a port stands in brackets."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Host and port."""
        try:
            parts = urlsplit(f"//[{value}]" if value.count(":") > 1 and "[" not in value else f"//{value}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or port == 0 or not set(value).isdisjoint("/?#@"):
            self.fail(
                f"expected the master as HOST or HOST:PORT, found {value!r} (without a port it is {MASTER_PORT}; "
                "what is uploaded to is the master's affair)", param, ctx,
            )  # fmt: skip
        return host, port or MASTER_PORT


ADDRESS = Address()
DURATION = Quantity("duration", units.parse_duration)
RATE = Quantity("rate", units.parse_rate)
SHARE = Quantity("share", units.parse_ratio)

users = click.option("-u", "--users", type=click.IntRange(1), help="This many users instead of the scenario's stages.")
duration = click.option("-t", "--duration", "duration_s", type=DURATION, help="How long, such as 30s or 5m.")
target = click.option("--target", help="A URL, or `embedded`, instead of the scenario's target.")
processes = click.option("--processes", type=click.IntRange(1), help="Spread users over this many worker processes.")
reports = click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), show_default=True,
                        envvar="UPSWARM_REPORTS", help="The folder below which the run leaves its own.")  # fmt: skip
plain = click.option("--plain", is_flag=True, help="A line per moment, instead of a view drawn on the terminal.")


def metrics(command: Command) -> Command:
    """Where figures are offered to Prometheus."""
    bind = click.option("--metrics-bind", help="The address at which /metrics is offered.  [default: 127.0.0.1]")
    port = click.option("--metrics-port", type=click.IntRange(0, 65535),
                        help="Offer /metrics for Prometheus at this port; 0 is any free.")  # fmt: skip
    return port(bind(command))


ABOUT_RATE = "So many arrivals per second, such as 20/s, instead of the scenario's workload."
_OVERRIDES = {
    "protocol": "What the target speaks, instead of the scenario's protocol.",
    "content": "What all files are made of, such as random, compressible:3 or corpus:FOLDER.",
    "chunk-size": "A size such as 8MiB, or `server`.",
    "parallel-chunks": "How many chunks of one upload travel at the same time.",
    "digest": "A digest sent with each chunk: none, crc32c or sha256.",
}


def overrides(command: Command) -> Command:
    """What a run may have otherwise than its scenario says, in the notation of the YAML."""
    for name, about in reversed(_OVERRIDES.items()):
        variable = f"UPSWARM_{name.replace('-', '_').upper()}"
        command = click.option(f"--{name}", envvar=variable, help=about)(command)
    return command
