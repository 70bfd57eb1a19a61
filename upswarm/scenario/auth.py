"""The credentials of a scenario: which kinds there are, and that none of them is ever shown."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator

from upswarm.scenario.base import Room, exactly_one
from upswarm.transfer.auth import Sign, bearer
from upswarm.transfer.azure_auth import azure_sas, azure_shared_key
from upswarm.transfer.clock import Clock
from upswarm.transfer.sigv4 import AwsKeys, sigv4


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

    def build(self, target_url: str, clock: Clock) -> Sign:
        """What signs requests."""
        token = self.session_token.get_secret_value() if self.session_token else ""
        keys = AwsKeys(self.access_key.get_secret_value(), self.secret_key.get_secret_value(), token)
        return sigv4(keys, self.region, target_url, clock)


class AzureSharedKeyRoom(Room):
    """The key of a storage account."""

    account: str = Field(min_length=1, description="The account's name.")
    key: Annotated[SecretStr, AfterValidator(_base64)] = Field(description="One of its keys, in base64.")

    def build(self, target_url: str, clock: Clock) -> Sign:
        """What signs requests."""
        return azure_shared_key(self.account, self.key.get_secret_value(), target_url, clock)


class AuthRoom(Room):
    """How requests are signed: exactly one of these. Write `${NAME}`, never a secret."""

    bearer: SecretStr | None = Field(None, description="A token, sent as `Authorization: Bearer …`.")
    sigv4: SigV4Room | None = Field(None, description="Keys for S3 and for servers that speak like it.")
    azure_sas: SecretStr | None = Field(None, description="A shared access signature: what stands behind the `?`.")
    azure_shared_key: AzureSharedKeyRoom | None = Field(None, description="The key of an Azure storage account.")

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
        room = self.sigv4 or self.azure_shared_key
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
