"""A filter on attributes → an expression of Milvus. Pure.

Keys and values are string literals or numbers, so no text of a caller is ever an operator. Milvus Lite cannot compare a
key of a JSON field with a list, so a list becomes comparisons.
"""

import json

from contract.filters import Comparison, Compound, Equality, Filter, Membership, Order

# Keys of the document itself; any other key is an attribute.
_FIELDS = {"file_id": "file_id", "filename": "document"}
_OPERATORS = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def literal(value: str | float | bool) -> str:
    """A literal of Milvus' expression language, in which quotes and backslashes are escaped."""
    return json.dumps(value, ensure_ascii=False)


def expression(filter_: Filter) -> str:
    """In parentheses, for use beside others."""
    if isinstance(filter_, Compound):
        return "(" + f" {filter_.type} ".join(map(expression, filter_.filters)) + ")"
    if filter_.key in _FIELDS:
        return f"({_of_field(_FIELDS[filter_.key], filter_)})"
    operand = f"attributes[{literal(filter_.key)}]"
    return f"(exists {operand} and {_compared(operand, filter_)})"


def _of_field(field: str, filter_: Comparison) -> str:
    """A field is a text: no number is equal to it, and none is less or more."""
    values = filter_.value if isinstance(filter_, Membership) else [filter_.value]
    texts = [value for value in values if isinstance(value, str)]
    if isinstance(filter_, Order) or (not texts and filter_.type in ("eq", "in")):
        return 'id == ""'
    if not texts:
        return 'id != ""'
    operator = "in" if filter_.type in ("eq", "in") else "not in"
    return f"{field} {operator} [{', '.join(map(literal, texts))}]"


def _compared(operand: str, filter_: Comparison) -> str:
    match filter_:
        case Equality() | Order():
            return f"{operand} {_OPERATORS[filter_.type]} {literal(filter_.value)}"
        case Membership():
            operator, joint = ("==", " or ") if filter_.type == "in" else ("!=", " and ")
            return "(" + joint.join(f"{operand} {operator} {literal(value)}" for value in filter_.value) + ")"
