"""A run while it goes on, for people."""
