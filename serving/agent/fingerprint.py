"""Fingerprints: a version's answers to fixed prompts, as numbers that identify its weights (pure).

First-token log-probabilities on a frozen prompt set. Distances measured on vLLM for CPUs, bfloat16: identical weights
0.000 in any batch, one optimiser step of 2e-4 0.054, another adapter 1.7 (docs/benchmarks.md has the permutation
test).
"""

from statistics import fmean

from contract.agent import Fingerprint, TopTokens
from serving.agent.errors import AgentError, OtherWeightsError, RefusedError

# Frozen: a change makes every recorded fingerprint worthless. The prompts are open-ended, so that styles show.
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
# Mean difference of log-probabilities, in nats. Above the effect of a GPU's summation order, below a training step's.
TOLERANCE = 0.02


def distance(one: Fingerprint, other: Fingerprint) -> float:
    """Mean difference over all tokens of both, in nats. Infinite if their numbers of prompts differ."""
    return _distance(one.prompts, other.prompts)


def comparable(one: Fingerprint, other: Fingerprint) -> bool:
    """True if both come from engines of the same release, whose base models answer alike."""
    return one.engine == other.engine and _distance(one.base, other.base) <= TOLERANCE


def _distance(one: tuple[TopTokens, ...], other: tuple[TopTokens, ...]) -> float:
    if len(one) != len(other):
        return float("inf")
    differences = [difference for a, b in zip(one, other, strict=True) for difference in _differences(a, b)]
    return fmean(differences) if differences else 0.0


def _differences(one: TopTokens, other: TopTokens) -> list[float]:
    """A token missing on one side counts with the lowest listed probability there, an upper bound of its own."""
    a, b = dict(one), dict(other)
    least_a, least_b = min(a.values()), min(b.values())
    return [abs(a.get(token, least_a) - b.get(token, least_b)) for token in a.keys() | b.keys()]


def without_effect(name: str, *, before: bool) -> AgentError:
    """The error of a version without effect. If it had one `before`, the engine is at fault, else its weights are."""
    if before:
        return OtherWeightsError("NoEffect", f"{name} answers exactly as its base model: it is not applied")
    message = f"{name} answers exactly as its base model: its weights change nothing; train it, or train it longer"
    return RefusedError("NoEffect", message)
