"""Signals of drift, one file each. A new file here is a new signal; there is no other list."""
