"""The contract: typed values and pure functions. No I/O, no clock; importable by every part."""
