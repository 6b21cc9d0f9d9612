"""ABacus as an installed tool: its version, its extras, and a site's repository that uses it."""
