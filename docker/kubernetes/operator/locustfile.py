"""Uploads by the book: the scenario turns the dials.

locust -f locustfiles/upload.py                                  # Locust's web UI
locust -f locustfiles/upload.py --headless --scenario smoke      # the terminal alone
"""

from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
from upswarm.swarm.users import UploadUser

__all__ = ["StagesShape", "UploadUser"]

connect()
