"""What a server said, made fit to be kept and shown: short, printable, and without anybody's secrets.

What was sent is known, so whatever of it comes back is taken out, wherever it stands. Besides, everything goes that
looks like a secret: rather too much than too little, for reports are mailed around.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlsplit

from upswarm.transfer.messages import Request

MOST_LETTERS = 200
_MOST_READ = 1000
_GONE = "***"
_HARMLESS = re.compile(
    r"accept.*|content-.*|user-agent|host|connection|expect|range|origin|date|if-.*|tus-.*|upload-.*|x-goog-.*range"
    r"|x-ms-(version|date|blob-type)|x-amz-(date|content-sha256)|x-request-id|repr-digest|want-.*|transfer-encoding"
)
_WORDS = re.compile(r"[\s,;=:\"']+")
_FEWEST_LETTERS = 6
_SCHEMES = {"bearer", "sharedkey", "sharedkeylite", "aws4-hmac-sha256", "credential", "signedheaders", "signature"}

_NAMED = re.compile(
    r"""(?ix)( (?: authori[sz]ation | token | signature | secret | passw | credential | cookie | \bsig\b
      | (?:api|access|account|auth|functions|master|private|shared|subscription)[-_]?key | session[-_]?id )
      [\w.-]{0,30} ["']? \s{0,3} [:=] \s{0,3} ) (?: (?:bearer|basic)\s )?
      (?: "[^"]*"? | '[^']*'? | [^\s"'&<>,;)}\]]+ )"""
)
_ELEMENT = re.compile(
    r"(?is)<(\w{0,40}(?:Signature|StringToSign|CanonicalRequest|AccessKey|Token|Secret|Credential)\w{0,40})>[^<]*"
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic|sharedkey(?:lite)?|aws4-hmac-sha256)\s+(?=\S*\d)[^\s\"'<>]{6,}")
_QUERY = re.compile(r"\?[^\s\"'<>?]*=[^\s\"'<>?]*")
_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_RUN = re.compile(r"[A-Za-z0-9+/_=.-]{20,}")
_KEY = re.compile(r"[A-Za-z0-9+_=]{40,}|eyJ[\w-]{8,}")
_LETTERS_OF_KEYS = f"{string.ascii_letters}{string.digits}+/_=.%-"


def said(text: str | bytes, request: Request | None) -> str:
    """At most `MOST_LETTERS` printable letters on one line, with `***` in place of secrets."""
    line = _beginning(text)
    for secret in sorted(set(_secrets(request)), key=len, reverse=True) if request else ():
        line = re.sub(re.escape(secret), _GONE, line, flags=re.IGNORECASE)
    line = _ELEMENT.sub(rf"<\1>{_GONE}", line)
    line = _NAMED.sub(rf"\1{_GONE}", _SCHEME.sub(rf"\1 {_GONE}", line))
    line = _LOGIN.sub("", _QUERY.sub("?…", line))
    line = _RUN.sub(lambda run: _GONE if _KEY.search(run[0]) else run[0], line)
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"


def looks_secret(text: str) -> bool:
    """Whether something like `token=hunter2` or a long key is in it."""
    return _GONE in said(text, None)


def place(request: Request) -> str:
    """Where a request went: the path, without host, login and query."""
    parts = urlsplit(request.path)
    return said(parts.path or "/", request)


def _beginning(text: str | bytes) -> str:
    """On one line; no more than can be made expensive, and no half of a word at its end: it might be half a key."""
    start = text[:_MOST_READ].decode("utf-8", "replace") if isinstance(text, bytes) else text[:_MOST_READ]
    if len(text) > _MOST_READ:
        start = start.rstrip(_LETTERS_OF_KEYS)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in start).split())


def _secrets(request: Request) -> Iterator[str]:
    """What only this client should know: values of headers that are not known to be harmless, and of the query."""
    for name, value in request.headers.items():
        if not _HARMLESS.fullmatch(name.lower()):
            yield from _parts(value)
    for _, value in parse_qsl(urlsplit(request.path).query):
        yield from _parts(value)


def _parts(value: str) -> Iterator[str]:
    for part in {value, *value.split(), *_WORDS.split(value)}:
        if len(part) >= _FEWEST_LETTERS and not part.isdigit() and part.lower() not in _SCHEMES:
            yield from {part, quote(part), quote(part, safe=""), base64.b64encode(part.encode()).decode()}
    if value.lower().startswith("basic "):
        yield from _login_in(value[6:].strip())


def _login_in(text: str) -> Iterator[str]:
    try:
        login = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield from filter(None, (login, login.partition(":")[2]))
