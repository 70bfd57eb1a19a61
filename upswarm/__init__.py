"""Load tests for services that take large files in pieces, built on Locust.

Importing this package imports neither Locust nor gevent: only `upswarm.swarm` does.
"""

__version__ = "0.1.0"
