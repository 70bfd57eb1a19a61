"""What Locust does on a worker's loop while others wait; in a process of its own, for importing Locust patches it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from locust import argument_parser
from upswarm.swarm.uploading.stalls import remember_default_options

fresh = argument_parser.default_args_dict()
remember_default_options()
remember_default_options()
first = argument_parser.default_args_dict()
print(first == fresh, argument_parser.default_args_dict() is first)
"""


def test_default_options_are_worked_out_once_and_are_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True True\n", "")
