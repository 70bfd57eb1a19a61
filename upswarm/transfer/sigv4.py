"""AWS Signature Version 4 as S3 takes it, in a header or in the URL ("Authenticating Requests", S3 API Reference).

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
_UNSIGNED = "UNSIGNED-PAYLOAD"
_EXPIRES_S = 3600


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


def sigv4_presigned(keys: AwsKeys, region: str, target_url: str, clock: Clock) -> Sign:
    """As `sigv4`, but what is signed stands in the URL, which is good for an hour: what a browser gets from a service.

    Each request has a URL of its own, signed when it is sent.
    """

    def sign(request: Request) -> Request:
        return presigned(request, url_of(request, target_url), keys, region, clock.wall())

    return only_to_the_target(target_url, sign)


def signed(request: Request, url: str, keys: AwsKeys, region: str, wall_s: float) -> Request:
    """The request with all of its headers signed; `Host` is among them, so that none but the signed one is sent."""
    stamp, scope = _when_and_where(wall_s, region)
    token = {"x-amz-security-token": keys.session_token} if keys.session_token else {}
    headers = {_BODY: _UNSIGNED, **request.headers, **token, "x-amz-date": stamp, "Host": urlsplit(url).netloc}
    signature = _signature(keys, stamp, scope, _canonical(request.method, url, headers))
    credential = f"Credential={keys.access_key}/{scope}, SignedHeaders={_names(headers)}"
    return replace(request, headers={**headers, "Authorization": f"{_ALGORITHM} {credential}, Signature={signature}"})


def presigned(
    request: Request, url: str, keys: AwsKeys, region: str, wall_s: float, *, expires_s: int = _EXPIRES_S
) -> Request:
    """The request with its signature behind its URL; signed are `Host` and whatever begins with `x-amz-`, no more."""
    stamp, scope = _when_and_where(wall_s, region)
    headers = {name: value for name, value in request.headers.items() if name.lower().startswith("x-amz-")}
    headers["Host"] = urlsplit(url).netloc
    said = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{keys.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": _names(headers),
    }
    if keys.session_token:
        said["X-Amz-Security-Token"] = keys.session_token
    more = ("&" if "?" in url else "?") + "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
    signature = _signature(keys, stamp, scope, _canonical(request.method, url + more, headers))
    path = f"{request.path}{more}&X-Amz-Signature={signature}"
    return replace(request, path=path, headers={**request.headers, "Host": headers["Host"]})


def _when_and_where(wall_s: float, region: str) -> tuple[str, str]:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall_s))
    return stamp, f"{stamp[:8]}/{region}/s3/aws4_request"


def _signature(keys: AwsKeys, stamp: str, scope: str, canonical: str) -> str:
    text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    return reduce(_hmac, [*scope.split("/"), text], f"AWS4{keys.secret_key}".encode()).hex()


def _names(headers: dict[str, str]) -> str:
    return ";".join(sorted(map(str.lower, headers)))


def _canonical(method: str, url: str, headers: dict[str, str]) -> str:
    """The one form that client and server give to a request before they sign it."""
    parts = urlsplit(url)
    fields = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    lines = [f"{name}:{value}" for name, value in sorted(fields.items())]
    path = _encoded(parts.path or "/", "/")
    return "\n".join([method, path, _query(parts.query), *lines, "", _names(headers), fields.get(_BODY, _UNSIGNED)])


def _query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encoded(text: str, safe: str = "") -> str:
    """Percent-encoded as AWS wants it, however it was before; a `+` is one."""
    return quote(unquote_to_bytes(text), safe=safe)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
