"""Adapters in the ways that people make them: what verification says, and what the engine does with them."""
