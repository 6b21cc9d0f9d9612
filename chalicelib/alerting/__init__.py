"""Tell people what changed about an experiment: a winner, a broken split, no more visitors."""
