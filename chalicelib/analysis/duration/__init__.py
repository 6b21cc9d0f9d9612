"""How long an experiment has run, and how long it still needs."""
