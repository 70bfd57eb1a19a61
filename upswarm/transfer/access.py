"""How one speaks to a target outside of uploads: where, in which protocol, as whom, and over what."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from upswarm.errors import TargetError
from upswarm.transfer.auth import Sign
from upswarm.transfer.clock import Clock
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.messages import Phase, Request
from upswarm.transfer.records import Attempt, Outcome
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A target and how it is spoken to; `protocol_name` is for people. Nothing of it is measured."""

    url: str
    protocol_name: str
    protocol: UploadProtocol
    sign: Sign
    clock: Clock
    open_transport: Callable[[], Transport]

    def exchange(self, retry: RetryPolicy) -> Exchange:
        """Over a connection of its own; whoever opens it hangs up."""
        return Exchange(
            self.open_transport(), _Nobody(), clock=self.clock, dice=random.Random(), retry=retry, sign=self.sign
        )


def check_reachable(url: str, transport: Transport) -> None:
    """Any HTTP answer will do; raises `TargetError` where there is none. The request is not part of any results."""
    try:
        transport.send(Request(Phase.PROBE, "GET", "/"))
    except Interrupted as error:
        raise TargetError(f"no answer from the target {url}: {error.message}",
                          hint="start it, or give another --target (--host with locust)") from error  # fmt: skip
    finally:
        transport.close()


class _Nobody:
    """An observer of what belongs to no results."""

    def attempted(self, attempt: Attempt) -> None:
        """Nothing is kept."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing is kept."""
