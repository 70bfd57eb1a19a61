"""The way to a URL: its origin, what is asked of it, and whether a proxy of the environment stands between."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from upswarm.transfer.failures import Failure, Interrupted

_PORTS = {"http": 80, "https": 443}
_UNFIT = re.compile(r"[^\x21-\x7e]")
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As it stands in `Host`: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def tunnel(self) -> str:
        """As it stands in `CONNECT`: always with the port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Proxy(NamedTuple):
    """A proxy, and the header that it wants, if any."""

    origin: Origin
    headers: dict[str, str]


def split(url: str) -> tuple[Origin, str]:
    """A URL's origin, and the rest as it is asked for; raises `Interrupted` for what is no http URL."""
    try:
        parts = urlsplit(url)
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        host = _ascii(parts.hostname or "")
    except (ValueError, KeyError) as error:
        raise Interrupted(Failure.BROKEN, f"expected a URL of http or https, found {url[:100]!r}") from error
    if not host:
        raise Interrupted(Failure.BROKEN, f"expected a URL with a host, found {url[:100]!r}")
    path = parts.path or "/"
    return Origin(parts.scheme, host, port), asked(f"{path}?{parts.query}" if parts.query else path)


def asked(path: str) -> str:
    """A path and query as the dialect quoted them. What can't stand in a request line is quoted; fragments don't."""
    path = path.partition("#")[0]
    return quote(path, safe=_AS_IT_IS) if _UNFIT.search(path) else path


def environment_proxies(host: str) -> dict[str, str]:
    """`http_proxy`, `https_proxy` and `all_proxy` by scheme; none for a host that `no_proxy` names."""
    return {} if proxy_bypass(host) else getproxies()


def proxy_to(origin: Origin) -> Proxy | None:
    """The environment's proxy to an origin."""
    proxies = environment_proxies(f"{origin.host}:{origin.port}")
    url = proxies.get(origin.scheme) or proxies.get("all")
    if not url:
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http":
        raise Interrupted(Failure.UNREACHABLE, f"expected a proxy of http, found one of {parts.scheme}")
    return Proxy(split(parts.geturl())[0], _login(parts.username, parts.password))


def _login(name: str | None, password: str | None) -> dict[str, str]:
    if name is None:
        return {}
    login = b64encode(f"{unquote(name)}:{unquote(password or '')}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {login}"}


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()
