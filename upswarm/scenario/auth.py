"""The credentials of a scenario: which kinds there are, and that none of them is ever shown."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator

from upswarm.scenario.base import Room, exactly_one
from upswarm.transfer.auth import Sign, bearer, header
from upswarm.transfer.azure_auth import azure_sas, azure_shared_key
from upswarm.transfer.clock import Clock
from upswarm.transfer.sigv4 import AwsKeys, sigv4, sigv4_presigned

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_OURS = ("connection", "content-encoding", "content-length", "content-type", "expect", "host", "te", "trailer",
             "transfer-encoding", "upgrade")  # fmt: skip
"""Headers that say how a request is to be read: another value would break it."""


def header_name(name: str) -> str:
    """A header that can carry a key; raises ValueError, which does not show what may be a secret."""
    if not _TOKEN.fullmatch(name):  # which may be the secret itself, in the wrong place
        raise ValueError("expected the name of a header, such as X-Api-Key")
    if name.lower() in _NOT_OURS:
        raise ValueError(f"expected a header that carries a key, found {name}, which says how a request is read")
    return name


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("expected visible ASCII characters without spaces at the ends; "
                         "is the variable empty, or does it end with a line break?")  # fmt: skip
    return value


def _base64(key: SecretStr) -> SecretStr:
    try:
        base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("expected a key in base64, as Azure's portal shows it") from None
    return key


class SigV4Room(Room):
    """Keys for S3: AWS Signature Version 4, with bodies that are not signed."""

    access_key: SecretStr = Field(description="The access key's id.")
    secret_key: SecretStr = Field(description="Its secret.")
    session_token: SecretStr | None = Field(None, description="The token that belongs to temporary keys.")
    region: str = Field(
        "us-east-1", min_length=1, description="The bucket's region; most servers of one's own take this one."
    )
    presigned: bool = Field(
        False, description="Whether requests are signed in their URLs, as those are that a service hands to browsers."
    )

    def build(self, target_url: str, clock: Clock) -> Sign:
        """What signs requests."""
        token = self.session_token.get_secret_value() if self.session_token else ""
        keys = AwsKeys(self.access_key.get_secret_value(), self.secret_key.get_secret_value(), token)
        return (sigv4_presigned if self.presigned else sigv4)(keys, self.region, target_url, clock)


class AzureSharedKeyRoom(Room):
    """The key of a storage account."""

    account: str = Field(min_length=1, description="The account's name.")
    key: Annotated[SecretStr, AfterValidator(_base64)] = Field(description="One of its keys, in base64.")

    def build(self, target_url: str, clock: Clock) -> Sign:
        """What signs requests."""
        return azure_shared_key(self.account, self.key.get_secret_value(), target_url, clock)


class HeaderRoom(Room):
    """A key in a header of the service's own."""

    name: Annotated[str, AfterValidator(header_name)] = Field(description="The header's name, such as `X-Api-Key`.")
    value: Annotated[SecretStr, AfterValidator(_header_value)] = Field(description="The whole value.")

    def build(self, target_url: str, clock: Clock) -> Sign:
        """What adds the header to requests."""
        return header(self.name, self.value.get_secret_value(), target_url)


class AuthRoom(Room):
    """How requests are signed: exactly one of these. Write `${NAME}`, never a secret."""

    bearer: SecretStr | None = Field(None, description="A token, sent as `Authorization: Bearer …`.")
    sigv4: SigV4Room | None = Field(None, description="Keys for S3 and for servers that speak like it.")
    azure_sas: SecretStr | None = Field(None, description="A shared access signature: what stands behind the `?`.")
    azure_shared_key: AzureSharedKeyRoom | None = Field(None, description="The key of an Azure storage account.")
    header: HeaderRoom | None = Field(None, description="A key in a header of the service's own.")

    @model_validator(mode="after")
    def _one(self) -> AuthRoom:
        exactly_one(self, tuple(type(self).model_fields))
        return self

    def build(self, target_url: str, clock: Clock) -> Sign:
        """What signs requests to the target, with the time of the clock."""
        if self.bearer is not None:
            return bearer(self.bearer.get_secret_value(), target_url)
        if self.azure_sas is not None:
            return azure_sas(self.azure_sas.get_secret_value(), target_url)
        room = self.sigv4 or self.azure_shared_key or self.header
        assert room is not None  # exactly one is given
        return room.build(target_url, clock)

    def revealed(self) -> dict[str, Any]:
        """The room as it was written, secrets included."""
        document: dict[str, Any] = _revealed(self.model_dump(exclude_none=True))
        return document


def _revealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _revealed(inner) for name, inner in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value
