"""From visitors' rows to tallies: what a row adds, and the fold that adds it exactly once."""
