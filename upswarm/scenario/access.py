"""A scenario's target, as whoever comes after the run speaks to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from platform import node
from typing import Any

from pydantic import ValidationError

from upswarm.errors import UsageError
from upswarm.results.audit_terms import AuditTerms
from upswarm.scenario.audit import AuditRoom
from upswarm.scenario.loader import explain
from upswarm.scenario.model import Scenario
from upswarm.transfer.access import Access
from upswarm.transfer.auth import unsigned
from upswarm.transfer.clock import Clock


def audit_terms(room: Mapping[str, Any] | None, wishes: Mapping[str, Any]) -> AuditTerms:
    """A scenario's own terms, or the usual ones, changed by wishes in words; raises `UsageError`."""
    if isinstance(wishes.get("check"), str):
        wishes = {**wishes, "check": [each.strip() for each in wishes["check"].split(",")]}
    try:
        return AuditRoom.model_validate({**(room or {}), **wishes}).build()
    except ValidationError as error:
        raise UsageError("; ".join(f"--{each['loc'][0]}: {explain(each)[0]}" for each in error.errors())) from error


def access(scenario: Scenario, url: str, clock: Clock) -> Access:
    """To the target at this URL, in the scenario's protocol and with its credentials."""
    protocol = scenario.target.protocol.build(node())
    endpoint, auth = protocol.caps.endpoint(url), scenario.target.auth
    return Access(
        url=endpoint,
        protocol_name=str(scenario.target.protocol),
        protocol=protocol,
        sign=auth.build(endpoint, clock) if auth else unsigned,
        clock=clock,
        open_transport=partial(scenario.transfer.open_transport, endpoint),
    )
