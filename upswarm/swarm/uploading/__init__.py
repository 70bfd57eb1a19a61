"""One process's part of a run: its files, its connections, its schedule, and how it fares."""
