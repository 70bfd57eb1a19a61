"""The options that upswarm adds to Locust's own, on the command line and in the web form."""

from __future__ import annotations

import sys
from typing import Any

from upswarm.scenario import library

DEFAULT_SCENARIO = "smoke"
DEFAULT_REPORTS = "reports"


def add_options(parser: Any) -> None:
    """Listens to `init_command_line_parser`. Sizes and paths are texts: Locust converts by the default's type."""
    parser.add_argument(
        "--scenario",
        default=DEFAULT_SCENARIO,
        choices=_Suggestions([*library.names(), *_given()]),
        env_var="UPSWARM_SCENARIO",
        help="a name from scenarios/, or the path of a YAML file",
    )
    parser.add_argument(
        "--rate",
        default="",
        include_in_web_ui=False,
        help="so many arrivals per second, such as 20/s, instead of the scenario's workload",
    )
    parser.add_argument(
        "--reports",
        default=DEFAULT_REPORTS,
        env_var="UPSWARM_REPORTS",
        include_in_web_ui=False,
        help="the folder below which each run leaves its own",
    )


class _Suggestions(list[str]):
    """Choices that are shown as a dropdown, while any other text is as good: `library.find` says what is wrong."""

    def __contains__(self, _: object) -> bool:
        return True


def _given() -> list[str]:
    """A path that was given on the command line has to stand in the dropdown too."""
    given = [value for option, value in zip(sys.argv, sys.argv[1:], strict=False) if option == "--scenario"]
    return [value for value in given if value not in library.names()]
