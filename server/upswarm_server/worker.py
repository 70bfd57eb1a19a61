"""The only door to gevent: gunicorn's gevent worker, and the pool of threads for calls that block."""

from __future__ import annotations

import logging
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import gevent
import gevent.socket
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.ggevent import GeventWorker

T = TypeVar("T")

_log = logging.getLogger("upswarm_server")
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


def wait_read(fd: int, timeout_s: float, /) -> None:
    """Let other greenlets run until this file descriptor can be read; raises `TimeoutError` after the time."""
    gevent.socket.wait_read(fd, timeout=timeout_s, timeout_exc=TimeoutError(f"silent for {timeout_s:g} s"))


def again_and_again(pause_s: float, work: Callable[[], object]) -> None:
    """Do this in the background for as long as the worker lives; a failure is logged, and then it is tried again.

    The pauses vary, so that several workers do not all come at once.
    """

    def go_on() -> None:
        while True:
            gevent.sleep(pause_s * random.uniform(0.5, 1.5))
            try:
                work()
            except Exception:
                _log.exception("what is done again and again failed")

    gevent.spawn(go_on)


class UploadWorker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's gevent worker, which on a stop does not wait for connections on which nothing is being asked."""

    number = 1
    """1 to `UPSWARM_WORKERS` for the workers that begin with the server; who replaces a dead one gets the next."""

    def init_process(self) -> None:
        """Patch the process and serve; called by gunicorn in the new process."""
        UploadWorker.number = self.age
        self._idle: set[gevent.Greenlet] = set()
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then let requests in flight finish."""
        gevent.get_hub().threadpool.maxsize = _THREADS
        closing = gevent.spawn(self._close_idle_when_stopping)
        super().run()
        closing.kill()

    def handle(self, listener: object, client: gevent.socket.socket, addr: object) -> None:
        """Serve a connection; under TLS a client that is silent, or speaks something else, is left without a word."""
        if hasattr(client, "do_handshake"):
            client.settimeout(self.cfg.keepalive)
            try:
                client.do_handshake()
            except OSError:
                client.close()
                return
        super().handle(listener, client, addr)

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
