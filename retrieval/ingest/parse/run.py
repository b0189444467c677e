"""The parent's side of a parse."""

import json
import signal
import subprocess
import sys

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.limits import Limits

# An empty environment: the parser sees no token of this process. `-P` keeps its working directory out of imports.
_ENVIRONMENT = {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
_COMMAND = [sys.executable, "-P", "-m", "retrieval.ingest.parse.child"]


def parse(name: str, content: bytes, limits: Limits) -> list[Block]:
    """The blocks of a document; `DocumentError` says why there are none. Takes at most `limits.parse_seconds`."""
    arguments = [name, str(limits.parse_memory_bytes), str(limits.parse_seconds), str(limits.characters)]
    try:
        child = subprocess.run(
            [*_COMMAND, *arguments],
            input=content,
            capture_output=True,
            timeout=limits.parse_seconds,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _timed_out(limits) from error
    if child.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _timed_out(limits)
    return _answer(child)


def _answer(child: "subprocess.CompletedProcess[bytes]") -> list[Block]:
    if child.returncode:
        lines = child.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        message = f"its parser ended with {child.returncode} ({lines[-1][:200]}): save or export it again"
        raise DocumentError(reasons.CORRUPT, message)
    answer = json.loads(child.stdout)
    if "reason" in answer:
        raise DocumentError(answer["reason"], answer["message"])
    return [Block(heading, text) for heading, text in answer["blocks"]]


def _timed_out(limits: Limits) -> DocumentError:
    message = f"reading it takes more than {limits.parse_seconds} seconds: split it or export it anew"
    return DocumentError(reasons.TIMED_OUT, message)
