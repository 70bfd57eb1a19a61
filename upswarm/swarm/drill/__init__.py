"""Drills: what breaks the server of a run on purpose, while it is under load."""
