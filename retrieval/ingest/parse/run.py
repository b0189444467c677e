"""Runs a parser in a child process, and reads its answer.

A fault of the document is a `DocumentError`. If the machine kills the parser or gives it too little CPU, it is a
`DocumentUnavailableError`, because a retry may succeed.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from retrieval.errors import DocumentError, DocumentUnavailableError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.limits import Limits

MAX_BLOCKS = 100_000  # of one document
WAITING = 4  # allowed wall-clock seconds per second of CPU time: on a busy machine, a parser gets only part of the CPU

# Without this process' variables, so that the parser sees no token. `-P` keeps its working directory out of imports.
_ENVIRONMENT = {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
_COMMAND = [sys.executable, "-P", "-m", "retrieval.ingest.parse.child"]
# A document may cause these.
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
_CHARACTER_BYTES, _BLOCK_BYTES = 6, 24  # of JSON, at most: an escaped character; the punctuation around a block


@dataclass(frozen=True)
class _Ended:
    """How the parser's process ended."""

    code: int  # of the process; negative for a signal
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
    return [Block(heading, text, rows) for heading, rows, texts in answer["sections"] for text in texts]


def _run(name: str, content: bytes, limits: Limits, most: int) -> _Ended:
    """Runs the parser, and reads its answer up to one byte more than `most`."""
    arguments = [name, str(limits.parse_memory_bytes), str(limits.parse_seconds), str(limits.characters)]
    with (
        subprocess.Popen(
            [*_COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a parser's warnings; the answer has the facts
            env=_ENVIRONMENT,
        ) as child,
        _ended_after(child, WAITING * limits.parse_seconds) as late,
    ):
        _write(cast("IO[bytes]", child.stdin), content)
        answer = cast("IO[bytes]", child.stdout).read(most + 1)
        if len(answer) > most:
            child.kill()
        code = child.wait()
    return _Ended(code, late.is_set(), answer)


def _write(pipe: IO[bytes], content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:  # the parser may end before it has read everything
        pipe.write(content)


@contextlib.contextmanager
def _ended_after(child: "subprocess.Popen[bytes]", seconds: float) -> Iterator[threading.Event]:
    """Kills a process over its time limit, and sets the event."""
    late = threading.Event()

    def end() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield late
    finally:
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
    if -ended.code in _CRASHES:
        message = f"its parser crashed (signal {-ended.code}): save or export it again"
        return DocumentError(reasons.CORRUPT, message)
    if ended.code:
        message = f"its parser was ended from outside ({ended.code}): it is tried again; check the machine's memory"
        return DocumentUnavailableError(reasons.INTERRUPTED, message)
    return None
