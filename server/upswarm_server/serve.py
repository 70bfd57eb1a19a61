"""Start the server: check that it can run, say in one sentence when it can't, and hand over to gunicorn."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import falcon
from gunicorn.app.base import Application

from upswarm import __version__
from upswarm.errors import EXIT_OK, UpswarmError, UsageError
from upswarm_server import tls
from upswarm_server.app import create_app, create_service, prepare
from upswarm_server.connection import Connections, WaitRead, is_possible
from upswarm_server.reaper import reap
from upswarm_server.settings import Settings

_FLAGS = {
    "host": "UPSWARM_HOST",
    "port": "UPSWARM_PORT",
    "workers": "UPSWARM_WORKERS",
    "data_dir": "UPSWARM_DATA_DIR",
    "access_log": "UPSWARM_ACCESS_LOG",
}
_DATA_DIR_WAIT_S = 3.0
_PARENT_LOOK_S = 0.5
_log = logging.getLogger("upswarm_server")
_FILES_PER_CONNECTION, _FILES_BESIDE = 3, 128  # the socket, the file and its map
_TOKEN, _LAST_TOKEN = b"+", b"."


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m upswarm_server.serve`: the exit code, 2 with a sentence on stderr when nothing was started."""
    arguments = _parser().parse_args(argv)
    # gunicorn.conf.py and every worker read the environment, so the flags go there: one source for all.
    os.environ.update(_as_environment(vars(arguments)))
    try:
        return serve(Settings.from_environ(os.environ))
    except UpswarmError as error:
        print(f"upswarm-server: {error}", file=sys.stderr)
        return error.exit_code


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and return 0; raises `UsageError` when the server can't be started.

    gunicorn's own configuration is read from the environment, in which these settings must stand.
    """
    parent = os.getppid()
    tls.check(settings)
    _raise_file_limit(settings)
    _warn_of_faults(settings)
    _warn_of_planted_bug(settings)
    listener = _listen(settings)
    with _owned(settings):
        if settings.exit_with_parent:
            _stop_without(parent)
        try:
            _Gunicorn(settings, listener).run()
        except SystemExit as stopped:
            return stopped.code if isinstance(stopped.code, int) else EXIT_OK
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # Python's own handlers end before the process does
    return EXIT_OK


def worker_app() -> falcon.App[Any, Any]:
    """The application of one gunicorn worker; called in the worker, after the fork."""
    # The one must not come before gunicorn.conf.py was read, the other brings gevent, which tests do without.
    from upswarm_server.metrics import meter_of_worker  # noqa: PLC0415
    from upswarm_server.worker import UploadWorker, again_and_again, in_thread_pool, wait_read  # noqa: PLC0415

    settings = Settings.from_environ(os.environ)
    meter = meter_of_worker(in_thread_pool, settings.server_id)
    service = create_service(settings, offload=in_thread_pool, meter=meter)
    again_and_again(settings.reap_every_s, lambda: reap(service))
    return create_app(
        settings,
        store=service.store,
        catalog=service.catalog,
        offload=in_thread_pool,
        meter=meter,
        connections=_connections(wait_read, settings.body_timeout_s),
        worker=UploadWorker.number,
    )


def _connections(wait_read: WaitRead, timeout_s: float) -> Connections | None:
    if is_possible():
        return Connections(wait_read, timeout_s)
    _log.warning("bodies take the plain way, which is slower: this version of gunicorn is not known")
    return None


def configuration_file() -> Path:
    """`gunicorn.conf.py`: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent
    installed = package / "gunicorn.conf.py"
    return installed if installed.exists() else package.parent / "gunicorn.conf.py"


class _Gunicorn(Application):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with our configuration file, on a socket that listens already."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._announcement = _announcement(settings, listener)
        self._listener_fd = listener.detach()  # gunicorn closes it
        self._tokens, written = os.pipe()
        os.write(written, _TOKEN * (settings.workers - 1) + _LAST_TOKEN)
        os.set_blocking(self._tokens, False)
        super().__init__()

    def load_config(self) -> None:
        self.load_config_from_file(str(configuration_file()))
        self.cfg.set("bind", f"fd://{self._listener_fd}")
        self.cfg.set("post_worker_init", self._announce_when_all_are_up)

    def load(self) -> falcon.App[Any, Any]:
        return worker_app()

    def _announce_when_all_are_up(self, worker: object) -> None:
        # Each worker that is up takes a token; later ones, which replace a dead one, find none.
        # A worker that still starts up would not hear a signal, so a server is not ready before.
        with suppress(BlockingIOError):
            if os.read(self._tokens, 1) == _LAST_TOKEN:
                print(self._announcement, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="upswarm-server", description="The reference upload server. Every setting is a variable UPSWARM_*."
    )
    parser.add_argument("--version", action="version", version=f"upswarm-server {__version__}")
    parser.add_argument("--host", help="address to listen on (UPSWARM_HOST, 127.0.0.1)")
    parser.add_argument("--port", help="port to listen on, 0 for any free one (UPSWARM_PORT, 8000)")
    parser.add_argument("--workers", help="worker processes (UPSWARM_WORKERS, 2)")
    parser.add_argument("--data-dir", help="directory for files and records (UPSWARM_DATA_DIR, ./upswarm-data)")
    parser.add_argument("--access-log", help="file for one line per request (UPSWARM_ACCESS_LOG, none)")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the starting process is gone")
    return parser


def _as_environment(arguments: Mapping[str, Any]) -> dict[str, str]:
    given = {variable: arguments[flag] for flag, variable in _FLAGS.items() if arguments[flag] is not None}
    if arguments["exit_with_parent"]:
        given["UPSWARM_EXIT_WITH_PARENT"] = "yes"
    return given


def _listen(settings: Settings) -> socket.socket:
    # Bound here rather than by gunicorn, which tries for five seconds and then has a lot to say.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _cannot_listen(settings, error) from error
    return listener


def _cannot_listen(settings: Settings, error: OSError) -> UsageError:
    if isinstance(error, PermissionError) or error.strerror is None:
        what = f"port {settings.port} on {settings.host} can't be used: {error.strerror or error}"
    elif "in use" in error.strerror:
        what = f"port {settings.port} on {settings.host} is taken by another process"
    else:
        what = f"can't listen on {settings.host}: {error.strerror}"
    return UsageError(what, hint="choose another one with --host, --port or UPSWARM_PORT; port 0 takes any free one")


def _raise_file_limit(settings: Settings) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.worker_connections * _FILES_PER_CONNECTION + _FILES_BESIDE
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        print(
            f"upswarm-server: UPSWARM_WORKER_CONNECTIONS={settings.worker_connections} may need {needed} open files "
            f"per worker, and the system's limit is {hard}; beyond it requests fail",
            file=sys.stderr,
        )


def _warn_of_faults(settings: Settings) -> None:
    if settings.faults:
        rules = "1 rule makes" if len(settings.faults) == 1 else f"{len(settings.faults)} rules make"
        print(f"upswarm-server: {rules} requests fail on purpose (UPSWARM_FAULTS)", file=sys.stderr)


def _warn_of_planted_bug(settings: Settings) -> None:
    if settings.planted_bug != "none":
        bug = f"UPSWARM_PLANTED_BUG={settings.planted_bug}"
        print(f"upswarm-server: THIS SERVER LOSES FILES ON PURPOSE, for a test ({bug})", file=sys.stderr)


@contextmanager
def _owned(settings: Settings) -> Iterator[None]:
    """Have the data directory for this server alone, prepared; the lock is held by all its processes."""
    hint = "choose another directory with --data-dir or UPSWARM_DATA_DIR"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with (settings.data_dir / "lock").open("w") as lock:
            if not _locked(lock.fileno()):
                raise UsageError(f"{settings.data_dir} belongs to a server that is running", hint=hint)
            prepare(settings)
            yield
    except OSError as error:
        raise UsageError(f"{settings.data_dir} can't be used: {error.strerror or error}", hint=hint) from error


def _locked(fd: int) -> bool:
    # Workers of a killed server take a moment to notice that it is gone.
    for _ in range(int(_DATA_DIR_WAIT_S / 0.1)):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


def _stop_without(parent: int) -> None:
    # Polled from a timer, for a death signal would also come when only the thread ends that started the server.
    # Timers are not inherited by workers; those stop by themselves when this process is gone.
    def look(signum: int, frame: object) -> None:
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _PARENT_LOOK_S, _PARENT_LOOK_S)


def _announcement(settings: Settings, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    scheme = "http" if settings.tls_cert is None else "https"
    workers = "1 worker" if settings.workers == 1 else f"{settings.workers} workers"
    return f"upswarm-server listening on {scheme}://{shown}:{port} ({workers}, data in {settings.data_dir})"


if __name__ == "__main__":
    sys.exit(main())
