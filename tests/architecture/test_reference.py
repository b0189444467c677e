"""The reference pages are what the code says, and miss nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from docs import reference

DOCS = reference.ROOT / "docs"


@pytest.mark.parametrize("page", ["settings", "metrics", "reasons"])
def test_a_page_is_what_the_code_says(page: str) -> None:
    text: str = getattr(reference, f"{page}_text")()
    assert (DOCS / f"{page}.md").read_text() == text, "run make docs"


def _sources() -> Iterator[Path]:
    for part in reference.PRODUCT:
        yield from (reference.ROOT / part).rglob("*.py")


def test_every_metric_is_on_its_page() -> None:
    page = (DOCS / "metrics.md").read_text()
    words = {
        node.value
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("quiver_")
    }
    names = {word for word in words if "_amx" not in word and "_lora_rows" not in word and not word.endswith("_")}
    assert {name for name in names if f"`{name}" not in page} == set()


def test_every_setting_is_on_its_page() -> None:
    """Also those of classes that nobody put on the list of the generator."""
    page = (DOCS / "settings.md").read_text()
    for kind in _all(BaseSettings):
        if kind.__module__.split(".")[0] in reference.PRODUCT and kind.model_config.get("env_prefix"):
            for name in kind.model_fields:
                assert f"`{kind.model_config['env_prefix']}{name.upper()}`" in page


def _all(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for child in kind.__subclasses__():
        yield child
        yield from _all(child)
