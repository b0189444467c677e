"""The shape of the code: files that are one noun, functions that do one thing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("serving", "operators", "retrieval", "service", "contract", "kube", "monitoring")
MAX_FILE, MAX_FUNCTION, MEDIAN_FUNCTION = 400, 60, 10
NOWHERE = {"common", "utils", "helpers", "misc"}


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (REPOSITORY / package).rglob("*.py")


def _lengths(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(REPOSITORY)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_longer_than_one_noun_needs() -> None:
    assert [str(path) for path in _files() if len(path.read_text().splitlines()) > MAX_FILE] == []


def test_functions_are_short() -> None:
    lengths = [item for path in _files() for item in _lengths(path)]
    assert [item for item in lengths if item[1] > MAX_FUNCTION] == []
    assert median(length for _, length in lengths) <= MEDIAN_FUNCTION


def test_nothing_lives_in_a_drawer_for_odds_and_ends() -> None:
    assert [path for path in _files() if NOWHERE & {*path.relative_to(REPOSITORY).parts, path.stem}] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_only_settings_read_the_environment(package: str) -> None:
    readers = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / package).rglob("*.py")
        if path.name != "settings.py" and any(word in path.read_text() for word in ("os.environ", "os.getenv"))
    ]
    assert readers == []


def test_every_test_folder_is_a_package() -> None:
    """Without, `import serving` in a test may find the folder of tests instead."""
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_statement_of_security_names_a_test_that_is_there() -> None:
    rows = [
        line
        for line in (REPOSITORY / "SECURITY.md").read_text().splitlines()
        if line.startswith("| ") and "|---" not in line
    ]
    statements = [row for row in rows if not row.startswith("| What holds")]
    assert len(statements) > 20
    for row in statements:
        shown = row.strip("| ").rpartition("|")[2]
        paths = re.findall(r"`(tests/[^`]+)`", shown)
        assert paths or shown.strip() == "by design", row
        assert all((REPOSITORY / path).exists() for path in paths), row
