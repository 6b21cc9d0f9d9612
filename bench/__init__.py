"""Measurements beside peers and floors, all of them in one run so that ratios mean something. `make bench`."""
