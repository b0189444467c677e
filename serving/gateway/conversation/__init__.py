"""Which messages of a conversation are questions to the documents (pure).

A message is small talk, or about the conversation, only if each of its clauses is a phrase of a list: everything else
is a question, because an answer without documents is worse than a search too many.
"""
