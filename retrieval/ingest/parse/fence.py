"""Restrictions of the parser's process, applied in it before it reads the document.

Limits on memory, CPU and file size; no network, by an empty network namespace if the kernel permits one and by an audit
hook in any case. The hook covers Python code only; all parsers except libxml2 are Python.
"""

import ctypes
import os
import resource
import sys

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_SIGKILL = 9
_REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "ctypes.dlopen")


class RefusedError(BaseException):
    """Not an `Exception`, so parsers cannot swallow it."""


def fence(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Fence the calling process in for good."""
    _leave_network_and_die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))  # the first ends it with SIGXCPU
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse)


def _leave_network_and_die_with_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # refused inside many containers; the hook stays


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    if writes or event.startswith(_REFUSED):
        raise RefusedError(event)
