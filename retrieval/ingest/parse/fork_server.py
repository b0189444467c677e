"""A process that has imported the parsers, and forks a process for each document: `python -m ...fork_server`.

Starting Python and importing a parser takes 0.1 to 0.5 seconds of CPU, a fork 0.003. (The standard library's fork
server imports the worker's main module into every child, and passes the worker's environment on.)

Standard input is a socket of requests. Each is one message: the fields of `Request` as JSON, and three descriptors: the
document to read, the answer to write, and a line to the worker. The parser's exit code is sent on the line; a worker
that shuts the line down ends the parser.
"""

import contextlib
import os
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from pydantic import TypeAdapter

from retrieval.ingest.parse.child import Request, answer
from retrieval.ingest.parse.formats import MODULES

DESCRIPTORS = 3
REQUEST_BYTES = 64 * 1024
CODE = struct.Struct("!i")  # as subprocess' returncode: negative for a signal
REQUEST = TypeAdapter(Request)

Work = Callable[[Request], None]


@dataclass(frozen=True)
class _Parser:
    """One parser's process. `ended` is a descriptor that becomes readable at its end."""

    pid: int
    ended: int
    line: socket.socket


class ForkServer:
    """`work` is done in the forked process, between standard input and output."""

    def __init__(self, requests: socket.socket, work: Work) -> None:
        self._requests, self._work = requests, work
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Until the worker closes its socket, or ends."""
        self._selector.register(self._requests, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    message, descriptors, _, _ = socket.recv_fds(self._requests, REQUEST_BYTES, DESCRIPTORS)
                    if not message:
                        return
                    self._start(REQUEST.validate_json(message), *descriptors)
                elif key.fd == key.data.ended:
                    self._finish(key.data)
                elif key.data.line.fileno() >= 0:
                    self._kill(key.data)

    def _start(self, request: Request, document: int, answered: int, line: int) -> None:
        pid = os.fork()
        if not pid:
            _do(self._work, request, document, answered)
        os.close(document)
        os.close(answered)
        parser = _Parser(pid, os.pidfd_open(pid), socket.socket(fileno=line))
        for descriptor in (parser.ended, line):
            self._selector.register(descriptor, selectors.EVENT_READ, parser)

    def _finish(self, parser: _Parser) -> None:
        _, status = os.waitpid(parser.pid, 0)
        for descriptor in (parser.ended, parser.line.fileno()):
            with contextlib.suppress(KeyError):  # the line's, after a kill
                self._selector.unregister(descriptor)
        with contextlib.suppress(OSError):  # the worker may not wait any longer
            parser.line.send(CODE.pack(os.waitstatus_to_exitcode(status)))
        os.close(parser.ended)
        parser.line.close()

    def _kill(self, parser: _Parser) -> None:
        """Nobody has waited for the process, so its number cannot be another one's."""
        self._selector.unregister(parser.line.fileno())
        os.kill(parser.pid, signal.SIGKILL)


def _do(work: Work, request: Request, document: int, answered: int) -> None:
    """In the forked process; does not return."""
    code = 1
    try:
        os.dup2(document, 0)
        os.dup2(answered, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the other parsers' lines among them
        work(request)
        sys.stdout.flush()
        code = 0
    finally:
        os._exit(code)


def parse(request: Request) -> None:
    sys.stdout.buffer.write(answer(request, sys.stdin.buffer))


def serve(work: Work) -> None:
    requests = socket.socket(fileno=os.dup(0))
    with open(os.devnull) as nothing:  # noqa: PTH123  # a descriptor is needed
        os.dup2(nothing.fileno(), 0)
    ForkServer(requests, work).run()


if __name__ == "__main__":
    for module in MODULES:
        import_module(module)
    serve(parse)
