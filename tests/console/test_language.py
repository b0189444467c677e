"""The pages' languages have the same texts with the same values, and every text of a page exists."""

import re
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language import LANGUAGES, Language, chosen, moment, texts
from console.rendering import STATIC, TEMPLATES

_USED = re.compile(r"t\(\s*'([a-z_]+\.[A-Za-z_]+)'(?!\s*~)")


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_texts_with_the_same_values() -> None:
    first, *others = (texts(code) for code in LANGUAGES)
    for other in others:
        assert first.keys() == other.keys()
        assert {name: _values(text) for name, text in first.items()} == {name: _values(t) for name, t in other.items()}


def test_every_text_of_a_page_exists() -> None:
    for page in TEMPLATES.glob("*.html"):
        for name in _USED.findall(page.read_text()):
            assert name in texts("en"), (page.name, name)


def test_every_text_is_used() -> None:
    code = "".join(path.read_text() for path in (*TEMPLATES.glob("*.html"), *TEMPLATES.parent.rglob("*.py")))
    families = tuple(re.findall(r"'([a-z_.]+)' ~", code)) + tuple(re.findall(r'f"([a-z]+\.)\{', code))
    single = (name for name in texts("en") if not name.startswith(families))
    assert [name for name in single if f"'{name}'" not in code and f'"{name}"' not in code] == []


def test_no_page_has_inline_scripts_or_styles() -> None:
    for page in TEMPLATES.glob("*.html"):
        text = page.read_text()
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|javascript:|<script(?![^>]* src=)", text), page.name
    assert not re.search(r"\beval\(|new Function", (STATIC / "console.js").read_text())


@pytest.mark.parametrize(("accepted", "language"), [
    ("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en-GB,ko;q=0.9", "en"), ("de,ko;q=0.5,en;q=0.4", "ko"), ("de", "en"),
    ("", "en"), ("ko;q=x,en;q=0.1", "en"),
])  # fmt: skip
def test_the_browsers_first_language_that_we_have(accepted: str, language: str) -> None:
    assert chosen(None, accepted) == language
    assert chosen("ko", accepted) == "ko"


@given(st.text())
def test_any_header_gives_a_language(header: str) -> None:
    assert chosen(header, header) in LANGUAGES


def test_dates_and_sizes() -> None:
    at = datetime(2026, 3, 9, 8, 5, tzinfo=UTC)
    assert Language("en").time(at) == "9 March 2026 08:05 UTC"
    assert Language("ko").day(at) == "2026년 3월 9일"
    assert [Language("en").size(count) for count in (0, 999, 1500, 12_345_678)] == ["0 B", "999 B", "1.5 KB", "12.3 MB"]
    assert moment(at.timestamp()) == moment("2026-03-09T08:05:00Z") == at
    assert moment("yesterday") is None
