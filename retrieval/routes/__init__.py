"""The HTTP routes of the query path."""
