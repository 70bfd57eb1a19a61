"""The room `audit`: whether, and how thoroughly, it is looked after a run whether every acknowledged file is there."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from upswarm.results.audit_terms import Ask, AuditTerms
from upswarm.scenario.base import Room
from upswarm.scenario.quantities import PositiveDurationS, Share, written


class AuditRoom(Room):
    """After the run, the server is asked for what it has acknowledged. `true` is all defaults, `false` no audit."""

    sample: Share = written("100%", description="The share of files that are looked at; the seed decides which.")
    check: tuple[Ask, ...] = Field(
        tuple(Ask),
        min_length=1,
        description="`present` and `size` are asked for, for `digest` the bytes are read back and compared.",
    )
    limit: PositiveDurationS = written(
        "5m", description="After this long the audit ends, and says how many files were not looked at."
    )
    connections: int = Field(4, ge=1, le=64, description="How many files are looked at at the same time.")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [{"type": "boolean"}, whole], "description": whole.pop("description", "")}

    def build(self) -> AuditTerms:
        """What the auditor follows."""
        return AuditTerms(self.check, self.sample, self.limit, self.connections)


def _expanded(value: Any) -> Any:
    """What may stand in place of the room."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


MaybeAudit = Annotated[AuditRoom | None, BeforeValidator(_expanded)]
