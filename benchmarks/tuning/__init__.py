"""`make bench-tuning`: training, adapters of every method on the engine, and evaluation."""
