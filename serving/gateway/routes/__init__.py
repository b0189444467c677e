"""The public routes and the internal ones."""
