"""The YAML files of experiments: read them, check them, write new ones, and try what they assign."""
