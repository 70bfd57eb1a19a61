"""Exceptions that Locust logs and forgets: those of listeners, and of greenlets that are no users."""

from __future__ import annotations

from locust import log


def uncaught() -> list[str]:
    """A sentence, where there has been one in this process since this was asked last."""
    heard, log.unhandled_greenlet_exception = log.unhandled_greenlet_exception, False
    return ["a listener or a greenlet ended with an exception, which is in the log"] if heard else []
