"""The public routes and the internal ones: each makes a handler from what it needs."""
