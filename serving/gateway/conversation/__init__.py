"""Tells questions to the documents from the rest of a conversation (pure).

A message is small talk, or about the conversation, only if each of its clauses consists of listed phrases. It is
searched for all the same: phrases such as "Can I repeat that?" may be questions to a document. The model answers if
nothing is found.
"""
