"""Where contract suites put their scratch directories: in memory where there is such a place, for they sync a lot."""

from __future__ import annotations

import os

_IN_MEMORY = "/dev/shm"
IN_MEMORY = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK | os.X_OK) else None
"""A directory for `tempfile`, or None where the usual one must do."""
