"""Verbs that are too long to stand beside the others in `upswarm.cli`."""
