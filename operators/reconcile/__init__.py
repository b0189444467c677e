"""Observed → status (pure): one file per kind, the same on a cluster and on one machine."""
