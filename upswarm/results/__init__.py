"""The NUMBERS: recorded once, added exactly, judged by thresholds, kept in a run file."""
