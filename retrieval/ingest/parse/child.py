"""The parser's process: `python -m retrieval.ingest.parse.child NAME MEMORY_BYTES CPU_SECONDS CHARACTERS`.

The document comes on standard input; one line of JSON goes to standard output: `{"blocks": [[heading, text], …]}`
or `{"reason": …, "message": …}`.
"""

import json
import sys
from collections.abc import Iterable

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.fence import fence
from retrieval.ingest.parse.formats import Parser, parser_for


def main() -> None:
    name, memory_bytes, cpu_seconds, characters = sys.argv[1], *map(int, sys.argv[2:5])
    try:
        parse = parser_for(name)  # before the fence: some libraries try out a socket when they are imported
        fence(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds)
        found = _read(parse, sys.stdin.buffer.read(), characters)
        answer: dict[str, object] = {"blocks": [[block.heading, block.text] for block in found]}
    except DocumentError as error:
        answer = {"reason": error.reason, "message": str(error)}
    sys.stdout.write(json.dumps(answer))


def _read(parse: Parser, content: bytes, characters: int) -> list[Block]:
    """All blocks; whatever a parser raises on a bad file means that the file is bad."""
    try:
        found = _within(parse(content), characters)
    except DocumentError:
        raise
    except (MemoryError, RecursionError) as error:
        message = f"reading it takes more than its share of memory ({type(error).__name__}): split it"
        raise DocumentError(reasons.TOO_LARGE, message) from error
    except Exception as error:
        message = f"it is damaged ({type(error).__name__}: {str(error)[:200]}): save or export it again"
        raise DocumentError(reasons.CORRUPT, message) from error
    if not found:
        raise DocumentError(reasons.EMPTY, "it holds no text (a scan has none until it is recognised): add text")
    return found


def _within(blocks: Iterable[Block], characters: int) -> list[Block]:
    kept: list[Block] = []
    left = characters
    for block in blocks:
        left -= len(block.text)
        if left < 0:
            raise DocumentError(reasons.TOO_LARGE, f"it holds more than {characters:,} characters of text: split it")
        kept.append(block)
    return kept


if __name__ == "__main__":
    main()
