"""Experiments of another tool as YAML files."""
