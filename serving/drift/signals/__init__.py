"""Signals of drift: a file for each, and no other place that lists them. A new file here is a new signal."""
