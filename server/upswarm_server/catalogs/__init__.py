"""Where the records are kept."""
