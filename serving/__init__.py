"""Data plane: the gateway, the engine's agent and the drift detector."""
