"""Puts the hits of a search into a better order: a model reads the question and each passage together.

The export runs in another environment, so nothing is imported here.
"""
