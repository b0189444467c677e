"""The consistency of reads from the store."""

from enum import StrEnum


class Reads(StrEnum):
    """Consistency of reads. Counts see every write, whoever reads."""

    QUICK = "Bounded"
    """Those of half a second ago, on a server; up to five seconds where its nodes are late. For searches."""
    CURRENT = "Strong"
    """All, after waiting some 400 ms on a server. For a process that writes what it read before."""
