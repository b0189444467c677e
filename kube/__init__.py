"""The client of the Kubernetes API server. Objects are plain data here."""
