"""The statistics of comparing runs, which know no text and no file."""
