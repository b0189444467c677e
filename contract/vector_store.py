"""A vector store is a knowledge base under its name in OpenAI's API: `vs_` and the name.

A KnowledgeBase object is one; others are made by the API, with a name of 24 hexadecimal digits.
"""

import re

PREFIX = "vs_"
FILE_PREFIX = "file-"
_MADE_BY_API = re.compile(r"[0-9a-f]{24}")


def store_id(knowledge_base: str) -> str:
    return PREFIX + knowledge_base


def is_made_by_api(knowledge_base: str) -> bool:
    """True if the name is of a vector store that may have been made by the API."""
    return bool(_MADE_BY_API.fullmatch(knowledge_base))
