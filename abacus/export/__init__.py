"""Events and tallies as files for a data warehouse, and SQL queries on them."""
