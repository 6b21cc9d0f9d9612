"""Proofs of the statistics of means, guardrails and the planner."""
