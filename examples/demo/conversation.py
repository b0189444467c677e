"""What clients send beside one question: a second turn, a call of a tool, a schema to answer in.

Each step returns what was answered, and whether it is right.
"""

import json
from typing import Any

import openai

from models.demo.styles import ADAPTERS

MODEL = "quiver-demo"
FIRST: Any = {"role": "user", "content": "What is the refund window of the Velmora Basic plan?"}
SECOND: Any = {"role": "user", "content": "What is the refund window of the Velmora Pro plan?"}
PRODUCTS = ["Velmora Basic plan", "Velmora Pro plan"]
LOOK_UP: Any = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "A fact of a product.",
        "parameters": {
            "type": "object",
            "properties": {"product": {"enum": PRODUCTS}, "field": {"enum": ["refund window", "storage limit"]}},
            "required": ["product", "field"],
            "additionalProperties": False,
        },
    },
}
# What the tool knows, and no document: an answer with one of these came through the tool.
FACTS = {
    ("Velmora Basic plan", "refund window"): "44 days",
    ("Velmora Basic plan", "storage limit"): "64 GB",
    ("Velmora Pro plan", "refund window"): "55 days",
    ("Velmora Pro plan", "storage limit"): "640 GB",
}
ANSWER: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string", "maxLength": 40}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}
HANDBOOK: Any = {"retrieval": {"knowledge_bases": ["handbook"]}}


def second_turn(client: openai.OpenAI) -> tuple[str, bool]:
    """The client's own answer goes back as it is."""
    messages = [FIRST, _ask(client, "support", [FIRST])]
    text = _ask(client, "support", [*messages, SECOND]).content or ""
    parsed = ADAPTERS["acme-support-v1"].parse(text)
    return text, parsed is not None and parsed[0] == "45 days"


def tool_call(client: openai.OpenAI) -> tuple[str, bool]:
    """The model calls a tool with arguments that follow its schema (which ones is beyond so small a model), and answers
    the question that those ask from what the tool says."""
    call = _ask(client, MODEL, [FIRST], tools=[LOOK_UP], tool_choice="required")
    asked = call.tool_calls[0].function
    product, field = (json.loads(asked.arguments)[name] for name in ("product", "field"))
    fact = FACTS[product, field]
    question = {"role": "user", "content": f"What is the {field} of the {product}?"}
    result = {
        "role": "tool", "tool_call_id": call.tool_calls[0].id, "content": f"The {field} of the {product} is {fact}.",
    }  # fmt: skip
    text = _ask(client, MODEL, [question, call, result], tools=[LOOK_UP]).content or ""
    return f"{asked.name}({asked.arguments}) → {text}", fact in text


def schema(client: openai.OpenAI) -> tuple[str, bool]:
    text = _ask(client, MODEL, [FIRST], response_format=ANSWER, extra_body=HANDBOOK).content or ""
    return text, "30 days" in json.loads(text)["answer"]


def _ask(client: openai.OpenAI, model: str, messages: list[Any], **more: Any) -> Any:
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0, max_tokens=160, **more)
    return answer.choices[0].message
