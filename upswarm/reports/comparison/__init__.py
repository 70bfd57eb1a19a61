"""Two sides of runs beside each other: as text, as a page, as Markdown and as JSON."""
