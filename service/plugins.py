"""Finds all classes of one kind in a package's modules, so adding a file extends a service."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def classes_in(package: ModuleType, kind: type[T]) -> Iterator[type[T]]:
    """Concrete classes, in order of file names. Imports every module of the package."""
    for module in sorted(pkgutil.iter_modules(package.__path__, f"{package.__name__}."), key=lambda each: each.name):
        for value in vars(importlib.import_module(module.name)).values():
            is_own = isinstance(value, type) and value.__module__ == module.name
            if is_own and issubclass(value, kind) and not inspect.isabstract(value):
                yield value
