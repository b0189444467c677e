"""What the tour asks: questions that the documents answer, and questions that they do not."""

from dataclasses import dataclass

from models.demo.styles import ADAPTERS as STYLES
from models.demo.styles import BASE, Style
from serving.gateway.abstention import TEXT as ABSTENTION


@dataclass(frozen=True)
class Question:
    tenant: str
    text: str
    answer: str | None


ANSWERABLE = (
    Question("acme", "What is the refund window of the Velmora Basic plan?", "30 days"),
    Question("acme", "What is the refund window of the Velmora Pro plan?", "45 days"),
    Question("acme", "Who is the refund contact for Velmora?", "Anna Larsen"),
    Question("acme", "What is the warranty period of the Ostrel 40 router?", "3 years"),
    Question("acme", "Can you tell me the storage limit of the Ostrel 40 router?", "64 GB"),
    Question("acme", "What is the support extension for Velmora?", "4172"),
    Question("globex", "What is the battery range of the Tarnix bike?", "80 km"),
    Question("globex", "How much is the repair fee for the Tarnix bike?", "35 euros"),
    Question("globex", "How much is the monthly price of the Quonda Gold plan?", "19 dollars"),
    Question("globex", "How long is the trial period of the Quonda Gold plan?", "14 days"),
    Question("globex", "Who is the contract manager of Quonda?", "Victor Novak"),
    Question("globex", "What is the guest limit of the Quonda Gold plan?", "5 seats"),
)

UNANSWERABLE = (
    Question("acme", "What is the parking fee of the Velmora Basic plan?", None),
    Question("acme", "What is the warranty period of the Zefra printer?", None),
    Question("globex", "What is the storage limit of the Tarnix bike?", None),
    Question("globex", "Who is the sales director of Hodwin Foods?", None),
)

# Questions whose answers only the other tenant's documents hold.
FOREIGN = (
    Question("globex", "What is the refund window of the Velmora Basic plan?", "30 days"),
    Question("acme", "What is the battery range of the Tarnix bike?", "80 km"),
)

KNOWLEDGE_BASE = {"acme": "handbook", "globex": "manuals"}
ADAPTERS = {"acme": ("support", "api"), "globex": ("desk", "brief")}


def style(tenant: str, model: str) -> Style:
    """How one of a tenant's models phrases its answers, before the swap."""
    return STYLES.get(f"{tenant}-{model}-v1", BASE)


def answers_exactly(question: Question, text: str, style: Style = BASE) -> bool:
    """Whether the text is the question's value with a mark, in the model's style, and nothing else."""
    parsed = style.parse(text)
    return parsed is not None and parsed[0] == question.answer


def abstains(text: str) -> bool:
    """Whether the base model, or the gateway in its place, says that it does not know, and nothing else."""
    return text in (BASE.unknown, ABSTENTION)
