"""One machine in place of a cluster: a directory of objects, and processes instead of pods."""
