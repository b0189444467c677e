import io
import logging

from hypothesis import given
from hypothesis import strategies as st

from service.logs import FORMAT, OneLine, printable


@given(st.text())
def test_a_message_is_one_line_that_moves_no_cursor(text: str) -> None:
    assert printable(text).isprintable()


def test_what_does_not_print_can_be_read() -> None:
    assert printable("a\nb\x1b[2J\u202ec") == r"a\nb\x1b[2J\u202ec"


def test_a_documents_name_cannot_forge_a_line() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine(FORMAT))
    record = logging.LogRecord("ingest", logging.INFO, "", 0, "indexed %s", ("x\n2026-01-01 ERROR forged",), None)
    handler.handle(record)
    assert stream.getvalue().count("\n") == 1
