"""Is there a server at all? Asked once, before any user starts."""

from __future__ import annotations

from upswarm.errors import TargetError
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.messages import Phase, Request
from upswarm.transfer.transport import Transport


def check_reachable(url: str, transport: Transport) -> None:
    """Any HTTP answer will do; raises `TargetError` where there is none. The request is not part of the results."""
    try:
        transport.send(Request(Phase.PROBE, "GET", "/"))
    except Interrupted as error:
        raise TargetError(f"no answer from the target {url}: {error.message}",
                          hint="start it, or give another --target (--host with locust)") from error  # fmt: skip
    finally:
        transport.close()
