"""Commands that read every visitor's row: audit, rebuild, erase, interactions."""
