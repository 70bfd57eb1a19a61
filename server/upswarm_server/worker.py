"""The only door to gevent: gunicorn's gevent worker, and the pool of threads for calls that block."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import gevent
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.ggevent import GeventWorker

T = TypeVar("T")

_LOOK_S = 0.1
# A disk takes many syncs at once, and a commit should not stand in line behind them.
_THREADS = 32


def in_thread_pool(function: Callable[[], T], /) -> T:
    """Run a blocking call in a real thread; only the greenlet that asked waits for it, and gets what it raises."""

    def guarded() -> tuple[T | None, Exception | None]:
        try:
            return function(), None
        except Exception as error:  # gevent would print its traceback, though the caller deals with it
            return None, error

    result, error = gevent.get_hub().threadpool.apply(guarded)
    if error is not None:
        raise error
    return cast(T, result)


class UploadWorker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's gevent worker, which on a stop does not wait for connections on which nothing is being asked."""

    def init_process(self) -> None:
        """Patch the process and serve; called by gunicorn in the new process."""
        self._idle: set[gevent.Greenlet] = set()
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then let requests in flight finish."""
        gevent.get_hub().threadpool.maxsize = _THREADS
        closing = gevent.spawn(self._close_idle_when_stopping)
        super().run()
        closing.kill()

    def handle_quit(self, sig: int, frame: object) -> None:
        """End in order when the arbiter says so; Ctrl-C in a terminal reaches workers too, but is meant for it."""
        if sig == signal.SIGQUIT:
            self.alive = False

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """The time in which gunicorn waits for a connection's next request."""
        waiting = gevent.getcurrent()
        self._idle.add(waiting)
        try:
            with super().timeout_ctx():
                yield
        finally:
            self._idle.discard(waiting)

    def _close_idle_when_stopping(self) -> None:
        while True:
            gevent.sleep(_LOOK_S)
            if not self.alive:
                gevent.killall(list(self._idle), NoMoreData(), block=False)  # as if the client had left
