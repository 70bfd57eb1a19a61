"""Where Locust itself would hold up a worker's event loop, and with it every clock that runs there."""

from __future__ import annotations

from functools import cache

from locust import argument_parser


def remember_default_options() -> None:
    """Let the default options be worked out once.

    A worker asks for them once for each option in each spawn message, and each time Locust builds a parser: some 0.2 s
    whenever the number of users changes, in which no chunk is sent and no answer is read.
    """
    if not hasattr(argument_parser.default_args_dict, "cache_info"):
        argument_parser.default_args_dict = cache(argument_parser.default_args_dict)
