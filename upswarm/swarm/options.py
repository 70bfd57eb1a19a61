"""The options that upswarm adds to Locust's own, on the command line and in the web form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from upswarm import plugins
from upswarm.scenario import library
from upswarm.scenario.overrides import Overrides
from upswarm.scenario.transfer import DIGESTS
from upswarm.swarm.limits import Limits

DEFAULT_SCENARIO = "smoke"
DEFAULT_REPORTS = "reports"
AS_IN_THE_SCENARIO = "as in the scenario"
"""What a dropdown says where nothing is wished. A text field is empty then."""


def add_options(parser: Any) -> None:
    """Listens to `init_command_line_parser`. Sizes and paths are texts: Locust converts by the default's type."""
    parser.add_argument(
        "--scenario",
        default=DEFAULT_SCENARIO,
        choices=Suggestions(library.names()),
        env_var="UPSWARM_SCENARIO",
        help="a name from scenarios/, or the path of a YAML file",
    )
    _add_overrides(parser)
    parser.add_argument(
        "--rate",
        default="",
        env_var="UPSWARM_RATE",
        help="uploads that arrive per second, such as 20/s, instead of users; empty changes nothing",
    )
    parser.add_argument(
        "--baseline",
        default="",
        env_var="UPSWARM_BASELINE",
        help="the run that thresholds compare with: its folder below reports/; empty is as in the scenario",
    )
    parser.add_argument(
        "--reports",
        default=DEFAULT_REPORTS,
        env_var="UPSWARM_REPORTS",
        include_in_web_ui=False,
        help="the folder below which each run leaves its own",
    )
    parser.add_argument(
        "--drill",
        action="store_true",
        env_var="UPSWARM_DRILL",
        include_in_web_ui=False,
        help="break things by chance, where the scenario has no drill of its own",
    )
    parser.add_argument(
        "--events",
        default="",
        env_var="UPSWARM_EVENTS",
        include_in_web_ui=False,
        help="keep every attempt and every upload in this file, which ends in .csv or .parquet",
    )
    _add_watching(parser)


def count_usable_cpus(parser: Any) -> None:
    """Listens too: `--processes -1` is one for each CPU that may be used; Locust takes all that the machine has."""
    option = next(each for each in parser._actions if each.dest == "processes")
    option.type = lambda text: Limits.here().processes if int(text) == -1 else int(text)


def chosen_overrides(values: Mapping[str, Any]) -> Overrides:
    """What these values of the options, or of the form's fields, wish otherwise than the scenario."""
    chosen = {each.name: str(values.get(each.name) or "").strip() for each in fields(Overrides)}
    return Overrides(**{name: text for name, text in chosen.items() if text not in {"", AS_IN_THE_SCENARIO}})


class Suggestions(list[str]):
    """Choices that are shown as a dropdown, while any other text is as good: who reads it says what is wrong."""

    def __contains__(self, _: object) -> bool:
        return True


def _add_watching(parser: Any) -> None:
    parser.add_argument(
        "--plain",
        action="store_true",
        env_var="UPSWARM_PLAIN",
        include_in_web_ui=False,
        help="a line per moment instead of a view that is drawn on the terminal",
    )
    parser.add_argument(
        "--metrics-port",
        type=int,
        env_var="UPSWARM_METRICS_PORT",
        include_in_web_ui=False,
        help="offer /metrics for Prometheus at this port; 0 takes any free one",
    )
    parser.add_argument(
        "--metrics-bind",
        default="127.0.0.1",
        env_var="UPSWARM_METRICS_BIND",
        include_in_web_ui=False,
        help="the address at which /metrics is offered",
    )


def _add_overrides(parser: Any) -> None:
    contents = [name for name in plugins.names("content") if name not in {"compressible", "corpus", "dedup"}]
    ratios = ["compressible:2", "compressible:3", "compressible:10", "dedup:2", "dedup:4", "dedup:10"]
    _add_choice(parser, "protocol", plugins.names("protocol"), "what the target speaks")
    _add_choice(parser, "content", [*contents, *ratios], "what all files are made of")
    _add_choice(parser, "digest", list(DIGESTS), "what is sent with each chunk")
    _add_text(parser, "chunk_size", "such as 8MiB, or server for what it answers; empty changes nothing")
    _add_text(parser, "parallel_chunks", "so many of one upload at the same time, 1 to 64; empty changes nothing")


def _add_choice(parser: Any, name: str, known: list[str], about: str) -> None:
    _add(parser, name, about, default=AS_IN_THE_SCENARIO, choices=Suggestions([AS_IN_THE_SCENARIO, *known]))


def _add_text(parser: Any, name: str, about: str) -> None:
    _add(parser, name, about, default="")


def _add(parser: Any, name: str, about: str, **more: Any) -> None:
    parser.add_argument("--" + name.replace("_", "-"), env_var=f"UPSWARM_{name.upper()}", help=about, **more)
