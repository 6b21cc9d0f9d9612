"""Simulated visitors: who they are, what they do, and what there is to find."""
