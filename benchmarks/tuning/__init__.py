"""`make bench-tuning`: trained adapters, and those of every method on the engine."""
