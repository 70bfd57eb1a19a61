"""A shared secret between master and workers: what they tell each other is sealed with it, so that nobody else can
read it or write it. Locust's own port asks nobody who they are.
"""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

import msgpack
from cryptography.fernet import Fernet, InvalidToken

from upswarm.errors import UsageError

VARIABLE = "UPSWARM_SECRET"
"""Where the secret stands. There is no option for it: options are seen by everybody on a machine."""
_FEWEST_LETTERS = 16


class SealError(Exception):
    """A message that was not sealed with our secret; the text says how the other side differs."""


class Seal:
    """Seals documents, or passes them on as they are where there is no secret."""

    def __init__(self, secret: str = "") -> None:
        if secret and len(secret) < _FEWEST_LETTERS:
            raise UsageError(
                f"{VARIABLE}: expected at least {_FEWEST_LETTERS} letters, found {len(secret)}",
                hint="take a random one, such as `openssl rand -hex 16` prints",
            )
        self._fernet = Fernet(_key(secret)) if secret else None

    @classmethod
    def of_environment(cls) -> Seal:
        """With the secret of this process's environment, if there is one; raises `UsageError` for a short one."""
        return cls(os.environ.get(VARIABLE, ""))

    def close(self, document: dict[str, Any], about: str) -> dict[str, Any] | bytes:
        """The document as it travels; `about` says what kind of message it is, and whose."""
        return document if self._fernet is None else self._fernet.encrypt(msgpack.packb([about, document]))

    def open(self, sealed: Any, about: str) -> dict[str, Any]:
        """The document as it was; raises `SealError`, also where it was sealed about something else."""
        if self._fernet is None:
            if isinstance(sealed, dict):
                return sealed
            raise SealError(f"it has a secret, and the other side has no {VARIABLE}")
        if not isinstance(sealed, bytes):
            raise SealError(f"it has no {VARIABLE}, and the other side has one")
        try:
            said, document = msgpack.unpackb(self._fernet.decrypt(sealed), strict_map_key=False)
        except InvalidToken as error:
            raise SealError(f"its {VARIABLE} is not that of the other side") from error
        if said != about:
            raise SealError(f"it was sealed as {said}, not as {about}")
        return dict(document)


def _key(secret: str) -> bytes:
    """Slow on purpose, for people take words for secrets; the salt is the same everywhere, or keys would differ."""
    key = hashlib.scrypt(secret.encode(), salt=b"upswarm master and workers", n=2**14, r=8, p=1, dklen=32)
    return base64.urlsafe_b64encode(key)
