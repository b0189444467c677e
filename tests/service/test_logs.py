import json
import logging
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import request_id
from service.logs import LogSettings, handler, printable


@given(st.text())
def test_a_message_is_one_line_that_moves_no_cursor(text: str) -> None:
    assert printable(text).isprintable()


def test_what_does_not_print_can_be_read() -> None:
    assert printable("a\nb\x1b[2J\u202ec") == r"a\nb\x1b[2J\u202ec"


def _written(form: Literal["text", "json"], capsys: pytest.CaptureFixture[str]) -> str:
    record = logging.LogRecord("ingest", logging.INFO, "", 0, "indexed %s", ("x\n2026-01-01 ERROR forged",), None)
    handler(LogSettings(format=form)).handle(record)
    return capsys.readouterr().err


def test_a_documents_name_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "json"):
        assert _written(form, capsys).count("\n") == 1


def test_a_line_names_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    token = request_id.set("r-17")
    try:
        assert "[r-17]" in _written("text", capsys)
        assert json.loads(_written("json", capsys))["request_id"] == "r-17"
    finally:
        request_id.reset(token)
