"""The public OpenAI-compatible API: who calls, what they may reach, and the way of one request."""
