"""The first process of a container: the kernel spares PID 1 every signal for which it has no handler.

Without an init, as Kubernetes starts containers, a SIGTERM that comes while Python still imports would be lost, and the
container would be killed when its time to stop is over.
"""

from __future__ import annotations

import os
import signal
from types import FrameType


def heed_sigterm() -> None:
    """End on SIGTERM until somebody handles it in order; what is not PID 1 does so anyway."""
    if os.getpid() == 1:
        by_default(signal.SIGTERM)


def by_default(number: signal.Signals) -> None:
    """Let this signal end the process at once, as it does by default, also where it is PID 1."""
    signal.signal(number, _end if os.getpid() == 1 else signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)  # what a shell says of a process that a signal has ended
