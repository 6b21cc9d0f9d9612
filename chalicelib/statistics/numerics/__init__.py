"""Distributions, roots and integrals that the formulas need."""
