"""How the plugins change vLLM: a function of a class or a module is wrapped in place."""

from collections.abc import Callable
from functools import wraps
from typing import Any


def wrap(owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replaces `owner`'s function or class method `name` by what `wrapper` makes of it."""
    original = getattr(owner, name)
    if hasattr(original, "__func__"):  # a class method
        setattr(owner, name, classmethod(wraps(original)(wrapper(original.__func__))))
    else:
        setattr(owner, name, wraps(original)(wrapper(original)))
