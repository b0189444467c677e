"""A follow-up that finds nothing by itself goes on about the document of the answer before it. Pure."""

from collections.abc import Sequence, Set

from contract.filters import Compound, Equality, Filter
from contract.search import Evidence

MOST_UNKNOWN = 2
"""A follow-up is short, and its words are those of the documents. A longer message of words that no document has is
about something else."""


def may_continue(terms: Sequence[str], vocabulary: Set[str]) -> bool:
    """True if at most two of the message's terms, or at most half of them, are in no document."""
    unknown = sum(term not in vocabulary for term in terms)
    return unknown <= max(MOST_UNKNOWN, len(terms) // 2)


def within(file_id: str, filter_: Filter | None) -> Filter:
    """The filter, for one document alone. It may be one level deeper than a caller's."""
    of_document = Equality(type="eq", key="file_id", value=file_id)
    return Compound.model_construct(type="and", filters=[of_document, filter_]) if filter_ else of_document


def continued(of_message: Sequence[Evidence], of_answer: Sequence[Evidence]) -> list[Evidence]:
    """The document's passages: those near the message, then others near the answer before it, whose relevance to the
    message is unknown and given as 0."""
    near = {item.chunk_id for item in of_message}
    others = [item.model_copy(update={"score": 0.0}) for item in of_answer if item.chunk_id not in near]
    return [*of_message, *others]
