"""What health and metrics ask of store and catalog: in bounded time, so that they answer when others do not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from upswarm_server import shared
from upswarm_server.service import Service

T = TypeVar("T")

PATIENCE_S = 2.0


class Bounded(Generic[T]):
    """A question that may hang. It is asked once at a time, however many want to know."""

    def __init__(self, question: Callable[[], T], patience_s: float = PATIENCE_S) -> None:
        self._question = question
        self._patience_s = patience_s
        self._asking = threading.Lock()
        self._answer: Future[T] | None = None

    def __call__(self) -> T:
        """The answer, or what asking raised; `TimeoutError` when there is none in time."""
        try:
            return self._asked().result(self._patience_s)
        except TimeoutError:
            raise TimeoutError(f"no answer within {self._patience_s:g} s") from None

    def _asked(self) -> Future[T]:
        with self._asking:
            if self._answer is None or self._answer.done():
                self._answer = Future()
                # Under gevent this is a greenlet, and the waiting goes on in the offload's pool.
                threading.Thread(target=self._ask, args=(self._answer,), daemon=True).start()
            return self._answer

    def _ask(self, answer: Future[T]) -> None:
        try:
            answer.set_result(self._question())
        except BaseException as error:  # it belongs to who waits for the answer
            answer.set_exception(error)


class Vitals:
    """The signs of life of one server."""

    def __init__(self, service: Service) -> None:
        self._min_free_bytes = service.settings.min_free_bytes
        self.free_bytes = Bounded(service.store.free_bytes)
        self.open_uploads = Bounded(lambda: service.catalog.count_open(service.clock()))
        self.stock = Bounded(service.catalog.stock)

    def obstacles(self) -> list[str]:
        """Why the server can't take uploads now; nothing when it can."""
        found = [self._draining(), self._of_store(), self._of_catalog()]
        return [reason for reason in found if reason]

    def gauges(self) -> dict[str, float]:
        """What holds at this moment, by the names of the metrics; what can't be found out is left out."""
        found: dict[str, float] = {"upswarm_draining": shared.draining()}
        if (started_s := shared.started_s()) is not None:
            found["upswarm_start_time_seconds"] = started_s
        if (open_uploads := if_known(self.open_uploads)) is not None:
            found["upswarm_open_uploads"] = open_uploads
        if (stock := if_known(self.stock)) is not None:
            found |= {"upswarm_files": stock.files, "upswarm_stored_bytes": stock.size_bytes}
        if (free_bytes := if_known(self.free_bytes)) is not None:
            found["upswarm_free_bytes"] = free_bytes
        return found

    def _draining(self) -> str | None:
        return "draining" if shared.draining() else None

    def _of_store(self) -> str | None:
        try:
            free_bytes = self.free_bytes()
        except Exception as error:  # whatever a store's plugin raises
            return f"the store does not work: {_sentence(error)}"
        if free_bytes >= self._min_free_bytes:
            return None
        return f"expected {self._min_free_bytes} B of free space, found {free_bytes} B"

    def _of_catalog(self) -> str | None:
        try:
            self.open_uploads()
        except Exception as error:  # whatever a catalog's plugin raises
            return f"the catalog does not answer: {_sentence(error)}"
        return None


def if_known(question: Bounded[T]) -> T | None:
    """The answer, or None: what is wrong is told by readiness."""
    try:
        return question()
    except Exception:
        return None


def _sentence(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
