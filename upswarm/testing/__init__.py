"""The public kit: a fake clock, a scripted transport, and contract suites for plugins. It needs no pytest."""
