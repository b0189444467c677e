"""The public OpenAI-compatible API: authentication, limits, and the path of one request."""
