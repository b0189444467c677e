"""Tells questions to the documents from the rest of a conversation (pure).

A message is small talk, or about the conversation, only if each of its clauses is a phrase of a list: everything else
is a question, because an answer without documents is worse than a search too many.
"""
