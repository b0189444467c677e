"""The engine's sidecar: makes the engine's adapters equal the desired set, and proves it."""
