"""Errors of training."""


class TrainingError(Exception):
    """Training cannot begin, or was given up; the message has the reason and the remedy."""
