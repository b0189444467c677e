"""The regular expressions of an adapter's configuration, matched within a time limit.

PEFT and the engine match every such expression against every module's name, with the same library. An expensive
expression would block the engine, and with it every tenant's requests.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TypeVar

import regex

from serving.agent.errors import RefusedError

# CPU time for all patterns and modules of one adapter. A thousand patterns for a thousand modules take a quarter of it.
LIMIT_S = 2.0
MAX_LENGTH = 4096  # of one expression; an alternation of every layer's name has about this length
# A model of 128 layers with 16 matrices each has this many.
MAX_NAMES = 2048

Number = TypeVar("Number", int, float)


class Matcher:
    """Use one for each adapter: all its matches share the time limit. Beyond the limit they raise RefusedError."""

    def __init__(self) -> None:
        self._left = LIMIT_S

    def by_module(self, pattern: Mapping[str, Number], modules: Iterable[str], default: Number) -> dict[str, Number]:
        """Each module's value by PEFT's rule: of the first key that matches its name, or the end of it after a dot."""
        keys = [(compiled(rf"(.*\.)?({key})$"), value) for key, value in pattern.items()]
        return {module: self._first(keys, module, default) for module in modules}

    def covers(self, expression: str, module: str) -> bool:
        """True if the whole name matches."""
        return self._match(compiled(rf"(?:{expression})\Z"), module)

    def _first(self, keys: "list[tuple[regex.Pattern[str], Number]]", module: str, default: Number) -> Number:
        return next((value for key, value in keys if self._match(key, module)), default)

    def _match(self, expression: "regex.Pattern[str]", module: str) -> bool:
        begun = time.thread_time()
        try:
            return expression.match(module, timeout=self._left) is not None
        except TimeoutError as error:
            raise self._too_slow(expression) from error
        finally:
            self._left = max(0.001, self._left - (time.thread_time() - begun))

    def _too_slow(self, expression: "regex.Pattern[str]") -> RefusedError:
        return RefusedError(
            "PatternTooSlow",
            f"the patterns of the configuration take over {LIMIT_S:g} s to match, at {expression.pattern[:80]!r}; name "
            "the modules instead",
        )


def compiled(expression: str) -> "regex.Pattern[str]":
    """Raises RefusedError for an invalid or very long expression."""
    if len(expression) > MAX_LENGTH:
        raise RefusedError("ConfigInvalid", f"the pattern {expression[:80]!r}… is longer than {MAX_LENGTH} characters")
    try:
        return regex.compile(expression)
    except (regex.error, OverflowError, RecursionError) as error:
        raise RefusedError(
            "ConfigInvalid", f"the pattern {expression[:80]!r} is not a valid regular expression: {error}"
        ) from error
