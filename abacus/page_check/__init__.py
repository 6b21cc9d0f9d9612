"""Check a page of a site: whether it loads the snippet, and carries the marks that its experiments need."""
