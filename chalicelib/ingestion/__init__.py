"""From a request to visitors' rows: parse, validate, limit, write."""
