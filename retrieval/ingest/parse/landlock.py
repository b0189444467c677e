"""Closes the file system for the calling process, by the kernel's Landlock: also for libraries in C.

https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_EXECUTE, _READ_FILES, _READ_DIRECTORIES = 1 << 0, 1 << 2, 1 << 3
_READ = _READ_FILES | _READ_DIRECTORIES
# The rights that each version of the kernel's interface knows: the later ones, and the network since version 4.
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _SCOPES = (1 << 2) - 1, (1 << 2) - 1  # bind and connect; abstract sockets and signals, since version 6


def close_files(readable: Iterable[Path], programs: Iterable[Path] = ()) -> bool:
    """Permanently: nothing but what is below `readable` and `programs` can be opened, and that for reading only; only
    `programs` can be started; no TCP connection can be made. False if the kernel has no Landlock, or refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    ruleset = libc.syscall(_CREATE_RULESET, attributes := _attributes(version), len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ)
        for path in programs:
            _allow(libc, ruleset, path, _READ | _EXECUTE)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _attributes(version: int) -> bytes:
    files = _FILES[max(each for each in _FILES if each <= version)]
    fields = [files] + [_TCP] * (version >= 4) + [_SCOPES] * (version >= 6)
    return struct.pack(f"={len(fields)}Q", *fields)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH)
    except OSError:  # nothing to read there
        return
    try:
        allowed = rights if path.is_dir() else rights & ~_READ_DIRECTORIES
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, descriptor), 0)
    finally:
        os.close(descriptor)
