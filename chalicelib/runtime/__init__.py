"""One process of a Lambda function: its settings, the wiring of its parts, logs and metrics."""
