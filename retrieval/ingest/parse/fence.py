"""Restrictions that the parser's process puts on itself before it reads the document.

Memory, CPU time and file size are limited. Files and the network are blocked: by an audit hook, which covers Python
code only, and by the kernel where it can: Landlock and an empty network namespace cover libxml2 and pdfium, too. Only
Python's own modules can be read, as codecs are imported on use; before, while a program may be started, what lies where
programs do.
"""

import ctypes
import os
import resource
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from retrieval.ingest.parse.landlock import close_files

_MODULES = (
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    Path(__file__).parent,
)
_LIBRARIES = tuple(map(Path, ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")))
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_SIGKILL = 9
_REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "ctypes.dlopen")


class RefusedError(BaseException):
    """A forbidden operation. Not an `Exception`, so parsers do not catch it by accident."""


def limit(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Limit the calling process, and programs that it starts, permanently. They can read programs and libraries, and no
    files of others."""
    die_with_parent()
    _leave_network()
    close_files(_MODULES, [*_LIBRARIES, *_programs()])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))  # the soft limit ends it with SIGXCPU
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid() -> None:
    """Forbid the calling process to open files but modules, to write any, to start programs and to use the network,
    permanently."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    close_files(_MODULES)
    sys.addaudithook(_refuse)


def die_with_parent() -> None:
    """The calling process is killed when the one that started it ends. A fork forgets it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def _programs() -> Iterator[Path]:
    """The directories of programs, and what belongs to them."""
    for directory in map(Path, os.get_exec_path()):
        yield from (directory, directory.parent / "share", directory.parent / "lib")


def _leave_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # many containers refuse it; the audit hook works in any case


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    if writes or event.startswith(_REFUSED):
        raise RefusedError(event)
