"""Bodies of requests: clients' fields, allowed fields for engines, and named refusals (pure)."""
