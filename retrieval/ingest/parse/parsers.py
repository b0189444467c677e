"""Starts parsers through the fork server, which is started once and again after its end."""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import BinaryIO

from retrieval.ingest.parse.child import Request
from retrieval.ingest.parse.fork_server import CODE, REQUEST

# Without this process' variables, so that the parser sees no token. `-P` keeps its working directory out of imports.
_ENVIRONMENT = {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
_COMMAND = [sys.executable, "-P", "-m", "retrieval.ingest.parse.fork_server"]


@dataclass(frozen=True)
class RunningParser:
    """Write the document to it, read its answer, and then its exit code."""

    document: BinaryIO
    answer: BinaryIO
    line: socket.socket

    def kill(self) -> None:
        self.line.shutdown(socket.SHUT_WR)

    def wait(self) -> int | None:
        """The exit code, negative for a signal; None if the fork server has ended."""
        code = self.line.recv(CODE.size)
        return int(CODE.unpack(code)[0]) if code else None

    def close(self) -> None:
        self.answer.close()
        self.line.close()


class Parsers:
    """Safe in any thread."""

    def __init__(self, command: list[str]) -> None:
        self._command, self._lock = command, Lock()
        self._server: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def prepare(self) -> None:
        """Starts the fork server before its first use: it imports parsers for half a second. Raises OSError."""
        with self._lock:
            self._running()

    def start(self, request: Request) -> RunningParser:
        """Raises OSError if no process can be started."""
        with contextlib.ExitStack() as given, contextlib.ExitStack() as kept:
            document, document_end = _pipe(given, kept)
            answer_end, answer = reversed(_pipe(kept, given))
            line, line_end = socket.socketpair()
            kept.enter_context(line)
            given.enter_context(line_end)
            self._send(REQUEST.dump_json(request), [document, answer_end, line_end.fileno()])
            kept.pop_all()
        return RunningParser(os.fdopen(document_end, "wb"), os.fdopen(answer, "rb"), line)

    def kill(self) -> None:
        """Ends a fork server that hangs, and with it every parser. Another one is started at the next use."""
        if self._server is not None:
            self._server[0].kill()

    def close(self) -> None:
        """Ends the fork server, and with it every parser."""
        if self._server is not None:
            process, requests = self._server
            requests.close()
            process.wait()
            self._server = None

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        with self._lock:
            socket.send_fds(self._running(), [message], descriptors)

    def _running(self) -> socket.socket:
        """The fork server's, which is started if there is none, or it has ended."""
        if self._server is not None and self._server[0].poll() is not None:
            self.close()
        if self._server is None:
            self._server = self._started()
        return self._server[1]

    def _started(self) -> "tuple[subprocess.Popen[bytes], socket.socket]":
        """It ends with this process, which holds the other end of its socket."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            server = subprocess.Popen(self._command, stdin=theirs.fileno(), stderr=subprocess.DEVNULL, env=_ENVIRONMENT)
        return server, ours


def _pipe(of_reader: contextlib.ExitStack, of_writer: contextlib.ExitStack) -> tuple[int, int]:
    """Its two ends, each closed with its stack."""
    reader, writer = os.pipe()
    of_reader.callback(os.close, reader)
    of_writer.callback(os.close, writer)
    return reader, writer


@cache
def parsers() -> Parsers:
    """One fork server for the whole process."""
    made = Parsers(_COMMAND)
    atexit.register(made.close)
    return made
