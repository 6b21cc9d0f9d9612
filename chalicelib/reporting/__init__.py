"""From tallies to the typed answers of GET /stats."""
