"""TLS by a certificate and its key; gunicorn and gevent speak it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial

from upswarm.errors import UsageError
from upswarm_server.settings import Settings


def check(settings: Settings) -> None:
    """Raise `UsageError` unless there is no certificate, or one that can be used with its key."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:  # ssl's own errors are of this kind
        what = f"the certificate {settings.tls_cert} can't be used with the key {settings.tls_key}: {error}"
        hint = "UPSWARM_TLS_CERT and UPSWARM_TLS_KEY name files in PEM that belong together"
        raise UsageError(what, hint=hint) from error


def late_handshake(config: object, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """gunicorn's hook: its usual context, whose sockets shake hands when their connection is served.

    gevent would do it before, without a bound in time, and with a traceback for everybody who speaks no TLS.
    """
    context = default()
    context.wrap_socket = partial(context.wrap_socket, do_handshake_on_connect=False)  # type: ignore[method-assign]
    return context
