"""From a request to visitors' rows: parse, limit by network, validate, write; or queue."""
