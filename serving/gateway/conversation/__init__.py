"""Tells questions to the documents from the rest of a conversation (pure).

A classifier learns the kinds of messages from the examples beside it, a file for each language. Whatever a message is,
it is searched for; the kind decides what it is searched for with, and whether the model answers if nothing is found.
"""
