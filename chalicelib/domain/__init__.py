"""The words of the trade, without any I/O: manifest, assignment, event, metric, segment, clock, errors."""
