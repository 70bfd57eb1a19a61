"""What a capacity search found, for people."""
