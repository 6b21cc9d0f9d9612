"""The part of a YAML file that says what is measured: goals, values, guardrails, segments."""
