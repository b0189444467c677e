"""Tells questions to the documents from the rest of a conversation (pure).

A message is small talk, or about the conversation, only if a small grammar of its language covers each of its clauses
from end to end: any word that it does not know may be the subject of a question. It is searched for all the same:
phrases such as "Can I repeat that?" may be questions to a document. The model answers if nothing is found.
"""
