"""Reads Word documents of before 2007: the program `antiword` turns them into text.

Many files of that name are RTF, HTML or newer Word documents; each is read as what it is.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse import docx, plain, rtf
from retrieval.ingest.parse.archive import OLE
from retrieval.ingest.parse.fence import die_with_parent
from retrieval.ingest.parse.lines import line_blocks

PROGRAM = "antiword"
_PICTURE = b"[pic]"
_BORDER = "|"  # around the cells of a row, as the program writes it


def convert(content: bytes, _languages: str) -> bytes:
    """The text, in UTF-8, or the content itself if it is no such document. Starts a program, which has the limits of
    the calling process, and may write no file."""
    if not content.startswith(OLE):
        return content
    program = shutil.which(PROGRAM)
    if program is None:
        message = f"Word documents of before 2007 need the program {PROGRAM}, which is not installed: save it as .docx"
        raise DocumentError(reasons.UNSUPPORTED, message)
    descriptor = os.memfd_create("document")
    with os.fdopen(descriptor, "wb") as document:
        document.write(content)
        document.flush()
        done = subprocess.run(
            [program, "-m", "UTF-8.txt", "-w", "0", f"/proc/self/fd/{descriptor}"],
            pass_fds=(descriptor,),
            capture_output=True,
            check=False,
            env={"ANTIWORDHOME": str(Path(program).parent.parent / "share" / "antiword")},
            preexec_fn=_may_write_no_file,  # this process has one thread
        )
    if done.returncode or not done.stdout.strip():
        raise _refused(done.stderr.decode(errors="replace"))
    return done.stdout.replace(_PICTURE, b"")


def parse(content: bytes) -> Iterator[Block]:
    """Paragraphs, and table rows with the names of their columns."""
    if content.startswith(b"PK"):
        return docx.parse(content)
    if content.startswith(b"{\\rtf"):
        return rtf.parse(content)
    if _BORDER.encode() not in content:
        return plain.parse(content)
    return line_blocks(content.decode("utf-8", "replace").splitlines(), _cells)


def _cells(line: str) -> Sequence[str]:
    shown = line.strip()
    is_row = len(shown) > 1 and shown.startswith(_BORDER) and shown.endswith(_BORDER)
    return shown[1:-1].split(_BORDER) if is_row else ()


def _refused(output: str) -> DocumentError:
    if "encrypted" in output.lower() or "password" in output.lower():
        return DocumentError(reasons.ENCRYPTED, "it needs a password: save it without one")
    return DocumentError(
        reasons.CORRUPT, f"{PROGRAM} cannot read it ({' '.join(output.split())[:200]}): save it as .docx"
    )


def _may_write_no_file() -> None:
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
