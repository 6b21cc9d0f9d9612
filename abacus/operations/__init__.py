"""Care for a running product: check and repair its tables, alerts, capacity and cost."""
