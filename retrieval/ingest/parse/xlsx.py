"""Reads Excel workbooks: what each cell shows."""

import datetime
import io
import re
from collections.abc import Iterator
from itertools import chain, dropwhile
from typing import Any

from openpyxl import load_workbook

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.archive import opened
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.sheet import sheet_blocks

_BRACKET = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")  # a currency and a locale, of which each may be missing
_BRACKETS = re.compile(r"\[[^\]]*\]")
_CURRENCY = re.compile(r"[$€£¥₩]|\b(?:USD|EUR|GBP|JPY|KRW|CHF|kr)\b")
_MIDNIGHT = datetime.time()


def parse(content: bytes) -> Iterator[Block]:
    """The tables of each visible sheet, under its name. Formulas are read as the value that was saved."""
    with opened(content, ".xlsx"):
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    headings = Headings()
    for sheet in workbook.worksheets:
        rows = ([shown(cell.value, str(cell.number_format)) for cell in row] for row in sheet.iter_rows())
        filled = dropwhile(lambda row: not any(row), rows)
        first = next(filled, None)
        if sheet.sheet_state == "visible" and first is not None:
            yield from headings.enter(1, sheet.title)
            yield from sheet_blocks(headings, chain([first], filled), level=2)
    yield from headings.end()


def shown(value: Any, number_format: str) -> str:
    """A cell's value as its format shows it, as far as dates, percents and currencies go."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case datetime.datetime():
            return str(value.date() if value.time() == _MIDNIGHT else value)
        case int() | float():
            return _number(value, number_format)
    return str(value)


def _number(value: float, number_format: str) -> str:
    if "%" in number_format:
        return f"{_plain(value * 100)}%"
    return f"{_plain(value)} {_currency(number_format)}".rstrip()


def _currency(number_format: str) -> str:
    if bracket := _BRACKET.search(number_format):
        return bracket[1].strip()
    literal = _CURRENCY.search(_BRACKETS.sub("", number_format))
    return literal[0] if literal else ""


def _plain(value: float) -> str:
    """Without the last digits of binary fractions, and without an exponent."""
    return f"{round(value, 10):.10f}".rstrip("0").rstrip(".")
