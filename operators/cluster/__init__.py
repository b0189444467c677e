"""A cluster as back end of the controllers: objects on its API server, engines as pods."""
