"""The only code that talks to an API server. Objects are plain data here; what they mean is decided elsewhere."""
