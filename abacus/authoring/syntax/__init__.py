"""YAML as text: read it with line numbers, edit it without losing comments, explain its errors."""
