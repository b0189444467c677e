"""What reconciles one object each: read from the caches → decide (`operators.reconcile`, `operators.desired`) → act."""
