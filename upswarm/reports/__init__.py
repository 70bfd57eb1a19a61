"""A run becomes a line while it lasts, a summary in the terminal at its end, and a page to keep."""
