"""Results in the terminal, and links that open the results page for others."""
