"""One step of a dialect by hand: what it asks, and what it makes of an answer."""

from __future__ import annotations

from typing import Any

from tests.wire import format as wire
from upswarm.transfer.dialect import Flow
from upswarm.transfer.failures import Fault
from upswarm.transfer.messages import Request, Response


def asked(flow: Flow[Any]) -> Request:
    """The step's first request."""
    return next(flow)


def answered(flow: Flow[Any], response: Response) -> Any:
    """What a step with one request returns when that is answered so."""
    next(flow)
    try:
        flow.send(response)
    except StopIteration as end:
        return end.value
    raise AssertionError("the step asks for more")


def refused(flow: Flow[Any], response: Response) -> Fault:
    """The fault that a step with one request raises when that is answered so."""
    try:
        returned = answered(flow, response)
    except Fault as fault:
        return fault
    raise AssertionError(f"expected a fault, found {returned}")


def unasked(flow: Flow[Any]) -> Any:
    """What a step without any request returns."""
    try:
        request = next(flow)
    except StopIteration as end:
        return end.value
    raise AssertionError(f"expected no request, found {request}")


def replayed(flow: Flow[Any], recorded: wire.Response, url: str = "") -> Any:
    """What a step that has asked returns after the answer that was recorded, or the fault that it raises."""
    headers = {name.lower(): value for name, value in recorded.headers.items()}
    try:
        flow.send(Response(recorded.status, headers, recorded.body.encode(), url))
    except StopIteration as end:
        return end.value
    except Fault as fault:
        return fault
    raise AssertionError("the step asks for more than was recorded")
