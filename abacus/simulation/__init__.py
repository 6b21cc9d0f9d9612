"""Simulated visitors: for a demo, and to prove that the statistics keep their promises."""
