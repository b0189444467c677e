"""What runs inside the engine: plugins of vLLM."""
