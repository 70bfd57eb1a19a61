"""How gunicorn runs the server. Everything that one may want to change is a setting (`docs/server.md`)."""

import os
from pathlib import Path

from upswarm_server.bodies import RECEIVED_BYTES, answered
from upswarm_server.settings import Settings

_settings = Settings.from_environ(os.environ)

wsgi_app = "upswarm_server.serve:worker_app()"
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"

# One connection costs one greenlet, so slow clients do not keep others out.
worker_class = "upswarm_server.worker.UploadWorker"
workers = _settings.workers
worker_connections = _settings.worker_connections

# The application opens its catalog and its locks after the fork, in the patched process.
preload_app = False

# A worker that can't even turn its loop for this long is stuck; slow uploads do not stop the loop.
timeout = 60
graceful_timeout = max(1, round(_settings.grace_s))
keepalive = max(1, round(_settings.keepalive_s))

# The heartbeat files belong into memory: on a busy disk touching a file may take longer than the timeout.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Our URLs are short and our headers are few.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# One line per request: method, path as it was sent, status, bytes of the body that really came, microseconds.
accesslog = _settings.access_log or None
access_log_format = f"%(m)s %({{raw_uri}}e)s %(s)s %({{{RECEIVED_BYTES}}}e)s %(D)s"
errorlog = "-"
loglevel = _settings.log_level

# gunicorn's control socket would start a thread and leave a file; nothing here uses it.
control_socket_disable = True
proc_name = "upswarm-server"

post_request = answered
