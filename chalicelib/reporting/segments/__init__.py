"""The answer of GET /stats by the values of one segment."""
