"""What the kernel spares PID 1, it does by itself: tried in a namespace of process ids, which the system may forbid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

FIRST = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--pid", "--fork", "--kill-child")
WAIT = "import time; print(__import__('os').getpid(), flush=True); time.sleep(60)"
HEED = f"from upswarm.pid_one import heed_sigterm; heed_sigterm(); {WAIT}"


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def may_be_first() -> bool:
    try:
        return subprocess.run([*FIRST, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not may_be_first(), reason="this system does not allow `unshare --pid`, so nobody here is PID 1")
def test_pid_one_ends_on_sigterm_if_it_heeds_it() -> None:
    with started(*FIRST, sys.executable, "-c", HEED) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        (first,) = psutil.Process(process.pid).children()
        first.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM


def test_whoever_is_not_first_ends_as_ever() -> None:
    with started(sys.executable, "-c", HEED) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM


def test_it_is_heeded_before_anything_that_takes_time() -> None:
    look = (
        "import sys, upswarm.__main__, upswarm_server.__main__; print({'click', 'falcon', 'gunicorn'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
