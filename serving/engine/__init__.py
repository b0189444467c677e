"""Code running inside the engine: plugins of vLLM."""
