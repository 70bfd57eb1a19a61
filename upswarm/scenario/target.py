"""The room `target`: who is under test, what it speaks, and who may speak to it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, field_serializer, model_serializer, model_validator

from upswarm import plugins
from upswarm.protocols.http import Http
from upswarm.scenario.auth import AuthRoom
from upswarm.scenario.base import Mistake, ShortRoom, mistaken, plugin
from upswarm.scenario.custom_http import HttpRoom
from upswarm.scenario.embedded import EmbeddedRoom
from upswarm.scenario.urls import EMBEDDED, check_metrics, check_url, without_values
from upswarm.transfer.dialect import UploadProtocol


class ProtocolRoom(ShortRoom):
    """The protocol that a server speaks. A name alone may stand for the whole room."""

    shorthand: ClassVar[str] = "name"
    name: Annotated[str, plugin("protocol")] = Field(
        "chunked", description="A name that is built in or installed, or `module:attribute` (see protocols.md)."
    )
    http: HttpRoom | None = Field(None, description="A service's own API, instead of a name (see custom-http.md).")

    @model_validator(mode="after")
    def _one(self) -> ProtocolRoom:
        if self.http is not None and "name" in self.model_fields_set:
            raise ValueError("expected a name or http, found both")
        try:
            _ = self.build("").caps
        except (AttributeError, TypeError) as error:
            raise Mistake(f"expected the class of a protocol, found {self.name!r}: {error}") from error
        return self

    @model_serializer
    def _short(self) -> str | dict[str, Any]:
        return self.name if self.http is None else {"http": self.http.model_dump(mode="json", exclude_unset=True)}

    def __str__(self) -> str:
        return self.name if self.http is None else "http"

    def build(self, client_id: str) -> UploadProtocol:
        """The dialect of the client with this name."""
        protocol: UploadProtocol = (
            plugins.find("protocol", self.name)(client_id) if self.http is None else Http(client_id, self.http.build())
        )
        return protocol


class TargetRoom(ShortRoom):
    """The server under test. A URL alone may stand for the whole room."""

    shorthand: ClassVar[str] = "url"
    url: Annotated[str, AfterValidator(check_url)] = Field(
        EMBEDDED, description="The server's URL, or `embedded`: the reference server, started for this run alone."
    )
    protocol: ProtocolRoom = Field(ProtocolRoom(), description="The protocol it speaks.")
    auth: AuthRoom | None = Field(None, description="Credentials, where the server wants any.")
    metrics: Annotated[str, AfterValidator(check_metrics)] | None = Field(
        None,
        repr=False,
        description="Where the server tells what it counted, in Prometheus' text: a path such as `/metrics`, or a URL. "
        "It is asked when a run starts and when it ends. By default only the embedded server is.",
    )
    embedded: EmbeddedRoom | None = Field(None, description="How the embedded server is started.")

    @field_serializer("metrics")
    def _without_values(self, metrics: str | None) -> str | None:
        return metrics and without_values(metrics)

    @model_validator(mode="after")
    def _of_the_embedded(self) -> TargetRoom:
        if self.embedded is not None and self.url != EMBEDDED:
            expected = f"expected only where target.url is `{EMBEDDED}`, found it with {self.url}"
            raise mistaken(("embedded",), Mistake(expected, "a server of yours is started by you"), self)
        return self

    def revealed(self) -> dict[str, Any]:
        """What the run file has only without its secrets, as it was written."""
        auth = {} if self.auth is None else {"auth": self.auth.revealed()}
        return auth if self.metrics is None else {**auth, "metrics": self.metrics}
