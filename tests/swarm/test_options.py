"""Options of Locust that mean something else with upswarm; in a process of its own, for Locust patches it."""

from __future__ import annotations

import os
import subprocess
import sys

LOOK = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from locust import events
from locust.argument_parser import get_parser
from upswarm.swarm.options import count_usable_cpus
events.init_command_line_parser.add_listener(count_usable_cpus)
for wish in ("-1", "3"):
    print(get_parser().parse_args(["--processes", wish]).processes)
os.environ["LOCUST_PROCESSES"] = "-1"
print(get_parser().parse_args([]).processes)
"""


def test_one_process_for_each_cpu_is_one_for_each_that_may_be_used() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.split() == ["1", "3", "1"]
