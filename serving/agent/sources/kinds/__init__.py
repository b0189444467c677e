"""Kinds of sources: a file for each, and no other place that lists them. A new file here is a new kind."""
