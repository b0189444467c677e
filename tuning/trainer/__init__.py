"""Trains an adapter. Runs in the engine's environment, with torch, transformers and peft."""
