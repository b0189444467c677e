"""Trains an adapter. Runs in the engine's environment, which has torch, transformers and peft."""
