"""Rows as the base model sees them: by its own chat template and its own tokenizer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from tuning.row import Code, Fault, Message, Row

_TEMPLATE = "chat_template.jinja"


class BaseUnreadableError(Exception):
    """The folder of the base model lacks a file for rendering; the message names it."""


@dataclass(frozen=True)
class Rendered:
    """A row's tokens: those of the prompt, and those of the answer with its final token."""

    row: Row
    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.answer)


class Renderer:
    def __init__(self, template: jinja2.Template, tokenizer: Tokenizer, special: Sequence[str], eos: str) -> None:
        self._template, self._tokenizer, self._special, self._eos = template, tokenizer, special, eos

    @classmethod
    def of(cls, base: Path) -> "Renderer":
        """From the model's folder. Raises BaseUnreadableError."""
        tokenizer = Tokenizer.from_file(str(_file(base, "tokenizer.json")))
        configuration = json.loads(_file(base, "tokenizer_config.json").read_text(encoding="utf-8"))
        template = _environment().from_string(_template(base, configuration))
        special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
        return cls(template, tokenizer, special, _token(configuration.get("eos_token")))

    def rendered(self, row: Row, max_length: int) -> Rendered | Fault:
        """The answer is what stands behind the prompt in the rendered conversation, with the template's own end."""
        if token := next((token for token in self._special if _holds(row, token)), None):
            return _fault(
                row, "special_token_in_text", f"it has {token}, by which this model divides turns: take it out"
            )
        try:
            prompt = self._text(row.prompt, add_generation_prompt=True)
            whole = self._text((*row.prompt, Message("assistant", row.answer)), add_generation_prompt=False)
        except jinja2.TemplateError as error:
            return _fault(row, "template_error", f"the model's chat template refuses it: {error}")
        if not whole.startswith(prompt):
            return _fault(
                row, "prompt_not_prefix", "the model's chat template writes the prompt otherwise once it is answered"
            )
        tokens = self._tokens(whole)
        before = self._tokens(prompt)
        if tokens[: len(before)] != before:
            return _fault(
                row, "prompt_not_prefix", "the prompt and the answer share a token: begin the answer with a word"
            )
        if len(before) >= max_length:
            return _fault(
                row, "prompt_fills_length", f"its prompt has {len(before)} tokens, and the model reads {max_length}"
            )
        return Rendered(row, tuple(before), tuple(tokens[len(before) :]))

    def _text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        listed = [{"role": message.role, "content": message.content} for message in messages]
        return self._template.render(messages=listed, add_generation_prompt=add_generation_prompt, eos_token=self._eos,
                                     bos_token="")  # fmt: skip

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _holds(row: Row, token: str) -> bool:
    return any(token in text for text in (row.answer, *(message.content for message in row.prompt)))


def _fault(row: Row, code: Code, message: str) -> Fault:
    return Fault(row.line, code, message)


def _environment() -> ImmutableSandboxedEnvironment:
    """As transformers renders chat templates."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = _refuse
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    return environment


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _template(base: Path, configuration: dict[str, Any]) -> str:
    file = base / _TEMPLATE
    if file.is_file():
        return file.read_text(encoding="utf-8")
    inline = configuration.get("chat_template")
    if not isinstance(inline, str):
        raise BaseUnreadableError(f"{base} has no chat template: neither {_TEMPLATE} nor one in tokenizer_config.json")
    return inline


def _file(base: Path, name: str) -> Path:
    file = base / name
    if not file.is_file():
        raise BaseUnreadableError(f"{base} has no {name}: give the folder of a model as Hugging Face has it")
    return file


def _token(value: object) -> str:
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else ""
