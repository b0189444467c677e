"""Runs a parser in a child process, and reads its answer.

A fault of the document is a `DocumentError`. If the machine kills the parser or gives it too little CPU, it is a
`DocumentUnavailableError`, because a retry may succeed.
"""

import contextlib
import json
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from retrieval.errors import DocumentError, DocumentUnavailableError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.limits import Limits
from retrieval.ingest.parse.child import MAX_BLOCKS, Request
from retrieval.ingest.parse.parsers import RunningParser, parsers

HUNG_SECONDS = 5.0  # until a fork server must have ended a parser
WAITING = 4  # allowed wall-clock seconds per second of CPU time: on a busy machine, a parser gets only part of the CPU

# A document may cause these.
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
_CHARACTER_BYTES, _BLOCK_BYTES = 6, 32  # of JSON, at most: an escaped character; the punctuation around a block


@dataclass(frozen=True)
class _Ended:
    """How the parser's process ended."""

    code: int | None  # of the process; negative for a signal, None if it is not known
    late: bool  # ended by its parent, after the limit of wall-clock time
    answer: bytes


def parse(name: str, content: bytes, limits: Limits) -> list[Block]:
    """The blocks of a document, within `limits.parse_seconds` of CPU time and `WAITING` times this of wall-clock time.
    Raises `DocumentError` with the reason, and `DocumentUnavailableError` for a temporary one."""
    most = _CHARACTER_BYTES * limits.characters + _BLOCK_BYTES * MAX_BLOCKS
    ended = _run(name, content, limits, most)
    if error := _blamed(ended, limits, most):
        raise error
    answer = json.loads(ended.answer)
    if "reason" in answer:
        raise DocumentError(answer["reason"], answer["message"])
    return [Block(heading, text, rows, page) for heading, rows, page, texts in answer["sections"] for text in texts]


def _run(name: str, content: bytes, limits: Limits, most: int) -> _Ended:
    """Runs the parser, and reads its answer up to one byte more than `most`."""
    request = Request(name, limits.parse_memory_bytes, limits.parse_seconds, limits.characters, limits.ocr_languages)
    try:
        parser = parsers().start(request)
    except OSError as error:
        message = f"no parser can be started ({error.strerror}): it is tried again; check the machine's memory"
        raise DocumentUnavailableError(reasons.INTERRUPTED, message) from error
    with contextlib.closing(parser), _ended_after(parser, WAITING * limits.parse_seconds) as late:
        _write(parser.document, content)
        answer = parser.answer.read(most + 1)
        if len(answer) > most:
            parser.kill()
        code = parser.wait()
    return _Ended(code, late.is_set(), answer)


def _write(pipe: BinaryIO, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:  # the parser may end before it has read everything
        pipe.write(content)


@contextlib.contextmanager
def _ended_after(parser: RunningParser, seconds: float) -> Iterator[threading.Event]:
    """Kills a parser over its time limit, and sets the event; a fork server that does not obey is killed, too."""
    late = threading.Event()

    def end() -> None:
        late.set()
        parser.kill()

    timers = [threading.Timer(seconds, end), threading.Timer(seconds + HUNG_SECONDS, parsers().kill)]
    for timer in timers:
        timer.start()
    try:
        yield late
    finally:
        for timer in timers:
            timer.cancel()


def _blamed(ended: _Ended, limits: Limits, most: int) -> DocumentError | None:
    """The fault of the document or the machine, judged by how the process ended; None after an answer."""
    if ended.late:
        message = f"reading it took more than {WAITING * limits.parse_seconds} seconds by the clock: it is tried again"
        return DocumentUnavailableError(reasons.TIMED_OUT, f"{message}; give the machine more CPU or split it")
    if len(ended.answer) > most:
        return DocumentError(reasons.TOO_LARGE, f"its parser answers with more than {most:,} bytes: split it")
    if ended.code == -signal.SIGXCPU:
        message = f"reading it takes more than {limits.parse_seconds} seconds of CPU time: split it or export it anew"
        return DocumentError(reasons.TIMED_OUT, message)
    if ended.code is not None and -ended.code in _CRASHES:
        message = f"its parser crashed (signal {-ended.code}): save or export it again"
        return DocumentError(reasons.CORRUPT, message)
    if ended.code != 0:
        message = f"its parser was ended from outside ({ended.code}): it is tried again; check the machine's memory"
        return DocumentUnavailableError(reasons.INTERRUPTED, message)
    return None
