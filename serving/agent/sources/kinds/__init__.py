"""Kinds of sources, one file each. A new file here is a new kind; there is no other list."""
