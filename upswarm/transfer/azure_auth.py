"""How requests to Azure Storage are signed: by a shared access signature in the URL, or with the account's key.

The rules are those of "Authorize with Shared Key" in Azure's REST reference, for versions from 2015-02-21 on.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from upswarm.transfer.auth import Sign, only_to_the_target, url_of
from upswarm.transfer.clock import Clock
from upswarm.transfer.messages import Request

_STANDARD = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


def azure_sas(token: str, target_url: str) -> Sign:
    """The token behind the URL of every request that goes to the target; it may begin with a question mark."""

    def sign(request: Request) -> Request:
        path = request.path or target_url
        return replace(request, path=f"{path}{'&' if '?' in path else '?'}{token.lstrip('?')}")

    return only_to_the_target(target_url, sign)


def azure_shared_key(account: str, key: str, target_url: str, clock: Clock) -> Sign:
    """`Authorization: SharedKey …` on every request that goes to the target; the key is in base64."""
    secret = base64.b64decode(key, validate=True)

    def sign(request: Request) -> Request:
        dated = replace(request, headers={**request.headers, "x-ms-date": formatdate(clock.wall(), usegmt=True)})
        text = string_to_sign(dated, url_of(request, target_url), account)
        signature = base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()
        return replace(dated, headers={**dated.headers, "Authorization": f"SharedKey {account}:{signature}"})

    return only_to_the_target(target_url, sign)


def string_to_sign(request: Request, url: str, account: str) -> str:
    """What client and server sign: method, headers, path and query in one form."""
    headers = {name.lower(): value.strip() for name, value in request.headers.items()}
    headers["content-length"] = str(len(request.body)) if request.body else ""
    standard = [headers.get(name, "") for name in _STANDARD]
    special = [f"{name}:{value}" for name, value in sorted(headers.items()) if name.startswith("x-ms-")]
    parts = urlsplit(url)
    return "\n".join([request.method, *standard, *special, f"/{account}{parts.path or '/'}", *_parameters(parts.query)])


def _parameters(query: str) -> list[str]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [f"{name}:{value}" for name, value in sorted((name.lower(), unquote(value)) for name, _, value in pairs)]
