"""What the small artifacts of tests must fit."""

from benchmarks.hostile import SMALL
from serving.agent.base import Base
from serving.agent.verify import Rules

RULES = Rules(Base(frozenset({"base", "org/base"}), {SMALL.module: (SMALL.outputs, SMALL.inputs)}), max_rank=16)
