"""Credentials of a new scenario: their kind, and the names of the environment variables that hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from upswarm.scenario.auth import header_name

CREDENTIALS = {
    "none": (),
    "bearer": ("UPLOAD_TOKEN",),
    "header": ("API_KEY",),
    "sigv4": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "azure_sas": ("AZURE_SAS",),
    "azure_shared_key": ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"),
}
"""Kinds of credentials, and the environment variables that usually hold them."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_USUAL_HEADER, _USUAL_REGION = "X-Api-Key", "us-east-1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A kind of credentials, and the environment variables that hold them; `header` is the one that carries a key."""

    kind: str
    variables: tuple[str, ...] = ()
    header: str = ""

    def auth(self, target: str) -> dict[str, Any]:
        """The room `target.auth` for this target."""
        kind, values = self.kind, [f"${{{name}}}" for name in self.variables]
        match kind:
            case "header":
                return {kind: {"name": self.header, "value": values[0]}}
            case "sigv4":
                return {kind: {"access_key": values[0], "secret_key": values[1], "region": region_of(target)}}
            case "azure_shared_key":
                return {kind: {"account": values[0], "key": values[1]}}
        return {kind: values[0]}


def usual_credentials(protocol: str) -> str:
    """The kind that services of this protocol usually want."""
    return {"s3": "sigv4", "azure": "azure_sas", "gcs": "bearer"}.get(protocol, "none")


def read_credentials(text: str) -> Credentials:
    """`bearer`, `bearer:VARIABLE`, `sigv4:VARIABLE:VARIABLE`, `header:X-Api-Key:VARIABLE`, or `none`."""
    kind, *rest = text.strip().split(":")
    if kind not in CREDENTIALS:
        raise ValueError(f"expected {', '.join(CREDENTIALS)}, found something else")
    header = (header_name(rest.pop(0)) if rest else _USUAL_HEADER) if kind == "header" else ""
    variables = tuple(rest) or CREDENTIALS[kind]
    if len(variables) != len(CREDENTIALS[kind]) or not all(map(_VARIABLE.fullmatch, variables)):
        raise ValueError(f"expected {spelt(kind)}, with names of environment variables in capitals; "
                         "never write a secret here")  # fmt: skip
    return Credentials(kind, variables, header)


def spelt(kind: str) -> str:
    """`bearer:UPLOAD_TOKEN`: how credentials of this kind are asked for."""
    return ":".join([kind, *([_USUAL_HEADER] if kind == "header" else []), *CREDENTIALS[kind]])


def region_of(target: str) -> str:
    """The region that stands in the URL of a bucket at Amazon, or the usual one."""
    found = _REGION.search(target) if "amazonaws.com" in target else None
    return found[0] if found else _USUAL_REGION
