"""New weights for a running experiment from its results."""
