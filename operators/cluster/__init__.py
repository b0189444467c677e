"""A cluster as the place that the controllers run in: objects on its API server, engines as pods."""
