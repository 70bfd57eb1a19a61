"""`transfer.tls`: whom to believe behind `https`."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from upswarm.scenario.base import Mistake, Room


def _authorities(path: str, info: ValidationInfo) -> str:
    """The path as every process can find it; whether there are any, is looked up where the scenario is read."""
    if info.context is None:
        return path
    try:
        full = Path(info.context["folder"], Path(path).expanduser()).absolute()
        ssl.create_default_context(cafile=full)
    except (OSError, RuntimeError) as error:  # the last: nobody's ~home
        reason = (
            "a file without any" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "") or str(error)
        )
        raise Mistake(f"expected a file with certificates in PEM, found {path!r}: {reason}") from error
    return str(full)


class TlsRoom(Room):
    """Whom to believe behind `https`."""

    verify: bool = Field(True, description="Whether the server's certificate has to be the right one.")
    ca_file: Annotated[str, AfterValidator(_authorities)] | None = Field(
        None, description="Certificates in PEM to believe instead of those that the machine believes."
    )
