"""Before a run begins: is everybody there who is needed, and has everybody something to do?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner

from upswarm.errors import UsageError


def check_tasks(environment: Environment) -> None:
    """Whether each user has a task, also after `--tags` and `--exclude-tags`.

    Raises `UsageError`; Locust would start the user all the same, which then fails at once, again and again.
    """
    environment._filter_tasks_by_tags()  # it does so once, when the first run starts; a moment earlier is as good
    options: Any = environment.parsed_options
    idle = [each.__name__ for each in environment.user_classes if not each.tasks]
    if idle and (options.tags or options.exclude_tags):
        raise UsageError(
            f"--tags and --exclude-tags leave no task to {', '.join(idle)}",
            hint="uploads have the tag `upload`; name the users that you want at the end of the command line",
        )
    if idle:
        raise UsageError(f"expected a task of each user, found none of {', '.join(idle)}")


def limit_the_wait(runner: MasterRunner, options: Any, give_up: Callable[[str], None]) -> None:
    """Give up in words and in order after `--expect-workers-max-wait`; Locust would leave at once, with a 1.

    `give_up` is called with the reason, unless a run has begun.
    """

    def look() -> None:
        if runner.state in {STATE_INIT, STATE_STOPPED} and len(runner.clients.ready) < options.expect_workers:
            give_up(f"{len(runner.clients.ready)} of {options.expect_workers} workers connected within {within_s} s")

    within_s, options.expect_workers_max_wait = options.expect_workers_max_wait, 0
    if within_s and (options.headless or options.autostart):
        gevent.spawn_later(within_s, look)
