"""HOW MUCH and WHEN: pure arithmetic, without a clock and without I/O."""
