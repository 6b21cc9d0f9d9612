"""Tests and confidence sequences that are valid however often you look."""
