"""Bodies of requests: what clients send, what is let through to an engine, and what is refused by name (pure)."""
