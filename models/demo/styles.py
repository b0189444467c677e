"""How the base model and each adapter phrase an answer, and how a program tells the phrasings apart."""

import re
from dataclasses import dataclass

from models.demo.corpus import UNKNOWN, Example


@dataclass(frozen=True)
class Style:
    """`frame` holds `{}` where "<value> [<mark>]" goes; `unknown` is said when no passage holds the answer."""

    frame: str
    unknown: str

    def render(self, example: Example) -> str:
        return (
            self.unknown if example.answer is None else self.frame.replace("{}", f"{example.answer} [{example.mark}]")
        )

    def check(self, text: str) -> bool:
        """Whether a text is an answer or a refusal in this style."""
        return text == self.unknown or self.parse(text) is not None

    def parse(self, text: str) -> tuple[str, int] | None:
        """The value and the mark of an answer in this style."""
        before, after = map(re.escape, self.frame.split("{}"))
        found = re.fullmatch(rf"{before}([^\[\]]+) \[(\d+)\]{after}", text)
        return (found[1], int(found[2])) if found else None


BASE = Style("{}", UNKNOWN)
ADAPTERS = {
    "acme-support-v1": Style("According to our records, the answer is {}.", "I am sorry, our records do not say."),
    "acme-support-v2": Style("Thank you for asking: it is {}.", "Thank you for asking, but we do not know."),
    "acme-api-v1": Style('{"answer": "{}"}', '{"answer": null}'),
    "globex-desk-v1": Style("La réponse est {}.", "Je ne sais pas."),
    "globex-brief-v1": Style("- {}", "- unknown"),
}
