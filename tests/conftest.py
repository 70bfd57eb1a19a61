"""Properties are about what holds, not about how fast this machine is today: no deadline.

`pytest --hypothesis-profile=long --timeout=0` looks for longer, and elsewhere every time.
"""

from hypothesis import settings

settings.register_profile("upswarm", deadline=None)
settings.register_profile("long", deadline=None, max_examples=1000, stateful_step_count=100)
settings.load_profile("upswarm")
