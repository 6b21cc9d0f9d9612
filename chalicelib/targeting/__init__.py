"""Which pages and visitors an experiment is for: conditions and URL patterns, as GrowthBook evaluates them."""
