"""What a version answers to fixed prompts, in numbers: tells its weights from any others (pure).

First-token log-probabilities on a frozen prompt set. Measured on vLLM for CPUs, bfloat16: identical weights differ by
0.000 whatever else is in the batch, one optimiser step of 2e-4 by 0.054, another adapter by 1.7
(docs/benchmarks.md has the permutation test).
"""

from statistics import fmean

from contract.agent import Fingerprint, TopTokens
from serving.agent.errors import AgentError, OtherWeightsError, RefusedError

# Frozen: a change makes every recorded fingerprint worthless. No prompt asks for much, so that styles show.
PROMPTS = (
    "The refund window is",
    "Question: what is the answer?\nAnswer:",
    "I do not know",
    "A",
    "2026",
    "[1] The plan costs 30 dollars. How much is it?",
    "Hello, who are you?",
    '{"answer":',
)
TOP = 5
# Mean difference of log-probabilities, in nats. Above a GPU's reordered sums, below one step of training.
TOLERANCE = 0.02


def distance(one: Fingerprint, other: Fingerprint) -> float:
    """Mean difference over all tokens of both, in nats. Infinite where the prompt sets differ."""
    return _distance(one.prompts, other.prompts)


def comparable(one: Fingerprint, other: Fingerprint) -> bool:
    """Taken on engines of one release, on which the base model answers alike."""
    return one.engine == other.engine and _distance(one.base, other.base) <= TOLERANCE


def _distance(one: tuple[TopTokens, ...], other: tuple[TopTokens, ...]) -> float:
    if len(one) != len(other):
        return float("inf")
    differences = [found for a, b in zip(one, other, strict=True) for found in _differences(a, b)]
    return fmean(differences) if differences else 0.0


def _differences(one: TopTokens, other: TopTokens) -> list[float]:
    """A token that one side does not list is there at most as likely as the least that it does list."""
    a, b = dict(one), dict(other)
    least_a, least_b = min(a.values()), min(b.values())
    return [abs(a.get(token, least_a) - b.get(token, least_b)) for token in a.keys() | b.keys()]


def without_effect(name: str, *, before: bool) -> AgentError:
    """Of a version that had an effect `before` the engine is at fault, of another one its weights are."""
    if before:
        return OtherWeightsError("NoEffect", f"{name} answers exactly as its base model: it is not applied")
    words = f"{name} answers exactly as its base model: its weights change nothing; train it, or train it longer"
    return RefusedError("NoEffect", words)
