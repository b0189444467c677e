"""The tests, one per file: samples in, an outcome out. No state, no clock; randomness is passed in."""
