"""How gunicorn runs the server. Everything that one may want to change is a setting (`docs/server.md`)."""

import os
from pathlib import Path

from upswarm_server import bodies, draining, shared, tls
from upswarm_server.settings import Settings

_settings = Settings.from_environ(os.environ)

# What workers share, their figures and the word that the server leaves, is made before the first of them is.
shared.begin()

# TLS when there is a certificate; a handshake is made when its connection is served, so that it can't hold up others.
certfile = None if _settings.tls_cert is None else str(_settings.tls_cert)
keyfile = None if _settings.tls_key is None else str(_settings.tls_key)
ssl_context = tls.late_handshake

# Called in each worker, after the fork.
wsgi_app = "upswarm_server.serve:worker_app()"

# `upswarm serve` gives gunicorn a socket that listens already; this is for a gunicorn of your own.
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"

# One connection costs one greenlet, so slow clients do not keep others out.
worker_class = "upswarm_server.worker.UploadWorker"

# Python runs on one core per process, so one per core is enough.
workers = _settings.workers

# Per worker; each costs a file descriptor, and two more while a chunk is being written.
worker_connections = _settings.worker_connections

# The application opens its catalog and its locks after the fork, in the patched process.
preload_app = False

# A worker that can't even turn its loop for this long is stuck; slow uploads do not stop the loop.
timeout = 60

# gunicorn counts whole seconds: how long requests in flight may take at a stop, and how long connections may idle.
graceful_timeout = max(1, round(_settings.grace_s))
keepalive = max(1, round(_settings.keepalive_s))

# The heartbeat files belong into memory: on a busy disk touching a file may take longer than the timeout.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Our URLs are short and our headers are few.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The request line alone says which path is meant; gunicorn would believe a SCRIPT_NAME header from this machine.
forwarder_headers = ""

# One JSON object per request, or nothing; words on stderr, for people or for machines.
logger_class = f"upswarm_server.logs.{'JsonLogger' if _settings.log_format == 'json' else 'TextLogger'}"
accesslog = _settings.access_log or None
errorlog = "-"
loglevel = _settings.log_level

# gunicorn's control socket would start a thread and leave a file; nothing here uses it.
control_socket_disable = True

# What `ps` shows, where the package setproctitle is installed.
proc_name = "upswarm-server"

# After an answer the body's timeout is over, and keepalive's begins.
post_request = bodies.answered


def when_ready(server):
    """The arbiter is about to start workers: from now on it is told to stop by us."""
    draining.give_notice(server, _settings.drain_s)


def child_exit(server, worker):
    """A worker is gone: what waited in it waits no more."""
    from upswarm_server import metrics  # noqa: PLC0415 - in the arbiter only when it is needed

    metrics.forget_worker(worker.pid)
