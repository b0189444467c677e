"""`python -m serving.gateway.grammar_child`: reads grammars as JSON, writes each grammar's error, or "".

The process is killed by a signal if it takes too much time, and exits with status 3 if it takes too much memory.
"""

import json
import resource
import sys

import llguidance

CPU_S = 2
MEMORY_BYTES = 1 << 30


def fault(kind: str, text: str) -> str:
    """The compiler's error for a grammar. Also computes the first token mask, because much is built only then."""
    try:
        grammar = llguidance.grammar_from(kind, text)  # type: ignore[arg-type]
    except ValueError as error:
        return str(error)
    matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), grammar, log_level=0)
    if not matcher.get_error():
        matcher.compute_bitmask()
    return matcher.get_error()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    grammars = json.load(sys.stdin)
    try:
        json.dump([fault(kind, text) for kind, text in grammars], sys.stdout)
    except MemoryError:
        sys.exit(3)


if __name__ == "__main__":
    main()
