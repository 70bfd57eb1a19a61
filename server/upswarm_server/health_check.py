"""`python -m upswarm_server.health_check`: is the server of this environment ready? For containers, which have no curl.

It reads the same `UPSWARM_*` variables as the server beside it, and asks that server's `/health/ready`.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys

from upswarm.errors import EXIT_OK, UpswarmError
from upswarm_server.settings import Settings

EXIT_UNHEALTHY = 1  # Docker knows no other code
_TIMEOUT_S = 3.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def main() -> int:
    """0 when it is ready; 1, and why on standard output, where Docker keeps it, when it is not."""
    try:
        settings = Settings.from_environ(os.environ)
        status, text = _ask(settings)
    except (UpswarmError, OSError, http.client.HTTPException) as error:
        print(f"no answer: {error}")
        return EXIT_UNHEALTHY
    print(text)
    return EXIT_OK if status == http.client.OK else EXIT_UNHEALTHY


def _ask(settings: Settings) -> tuple[int, str]:
    host = _ANYWHERE.get(settings.host, settings.host)
    connection = _connect(host, settings)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _connect(host: str, settings: Settings) -> http.client.HTTPConnection:
    if settings.tls_cert is None:
        return http.client.HTTPConnection(host, settings.port, timeout=_TIMEOUT_S)
    # The certificate is made for the name that clients use; here it is not the question who answers.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, settings.port, timeout=_TIMEOUT_S, context=context)


if __name__ == "__main__":
    sys.exit(main())
