"""The operator, beside the same logic on controller-runtime (Go) and on kopf's handlers, against one API server."""
