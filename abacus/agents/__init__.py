"""Tools for AI assistants by the Model Context Protocol: read results, plan, draft, check, publish."""
