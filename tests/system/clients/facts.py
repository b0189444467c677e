"""What every client asks, and two tools that it may call."""

from typing import Any

BASIC = "What is the refund window of the Velmora Basic plan?"
PRO = "What is the refund window of the Velmora Pro plan?"
PRODUCTS = ["Velmora Basic plan", "Velmora Pro plan"]


def _tool(name: str, field: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {field: {"type": "string", "enum": PRODUCTS}}, "required": [field],
                  "additionalProperties": False}  # fmt: skip
    return {"type": "function", "function": {"name": name, "description": "Facts.", "parameters": parameters}}


TOOLS: Any = [_tool("refund_window", "product"), _tool("storage_limit", "product")]


def run(name: str, arguments: dict[str, Any]) -> str:
    assert name in ("refund_window", "storage_limit")
    assert arguments["product"] in PRODUCTS
    return f"The refund window of the {arguments['product']} is 44 days."
