"""Commands on visitors' rows: audit, rebuild and interactions read them all, erase those of one visitor."""
