"""From counts to a verdict: select a sample, compare variants, check the data, decide."""
