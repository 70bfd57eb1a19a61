"""WHAT the bytes are: files that can be sent again and again without being held in memory."""
