"""Properties are about what holds, not about how fast this machine is today: no deadline."""

from hypothesis import settings

settings.register_profile("upswarm", deadline=None)
settings.load_profile("upswarm")
