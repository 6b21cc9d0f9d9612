"""Several metrics of one experiment: means, guardrails, and the correction for their number."""
