"""Where the bytes are kept."""
