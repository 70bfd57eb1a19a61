"""AWS Signature Version 4 as S3 takes it ("Signature Calculations for the Authorization Header", S3 API Reference).

The body is not signed (`UNSIGNED-PAYLOAD`): to hash every chunk would cost the generator more than to send it. A
request that brings an `x-amz-content-sha256` of its own has its body signed by that.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field, replace
from functools import reduce
from urllib.parse import quote, unquote_to_bytes, urlsplit

from upswarm.transfer.auth import Sign, only_to_the_target, url_of
from upswarm.transfer.clock import Clock
from upswarm.transfer.messages import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_BODY = "x-amz-content-sha256"


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """An access key with its secret; temporary ones have a session token too."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


def sigv4(keys: AwsKeys, region: str, target_url: str, clock: Clock) -> Sign:
    """`Authorization: AWS4-HMAC-SHA256 …` on every request that goes to the target, with the time of the clock."""

    def sign(request: Request) -> Request:
        return signed(request, url_of(request, target_url), keys, region, clock.wall())

    return only_to_the_target(target_url, sign)


def signed(request: Request, url: str, keys: AwsKeys, region: str, wall_s: float) -> Request:
    """The request with all of its headers signed; `Host` is among them, so that none but the signed one is sent."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall_s))
    token = {"x-amz-security-token": keys.session_token} if keys.session_token else {}
    headers = {_BODY: "UNSIGNED-PAYLOAD", **request.headers, **token, "x-amz-date": stamp, "Host": urlsplit(url).netloc}
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    names, canonical = _canonical(request.method, url, headers)
    text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = reduce(_hmac, [*scope.split("/"), text], f"AWS4{keys.secret_key}".encode()).hex()
    authorization = f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return replace(request, headers={**headers, "Authorization": authorization})


def _canonical(method: str, url: str, headers: dict[str, str]) -> tuple[str, str]:
    """The names of the headers, and the one form that client and server give to a request before they sign it."""
    parts = urlsplit(url)
    fields = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in fields)
    lines = [f"{name}:{value}" for name, value in fields]
    path = _encoded(parts.path or "/", "/")
    return names, "\n".join([method, path, _query(parts.query), *lines, "", names, dict(fields)[_BODY]])


def _query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encoded(text: str, safe: str = "") -> str:
    """Percent-encoded as AWS wants it, however it was before; a `+` is one."""
    return quote(unquote_to_bytes(text), safe=safe)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
