"""The processes of one group, from /proc (Linux)."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Python's multiprocessing starts a resource tracker. After the last user of shared memory ends, it removes it and ends.
_CLEANER = b"multiprocessing.resource_tracker"
_STOPPED = "T"  # by SIGSTOP (proc_pid_stat(5))


@dataclass(frozen=True)
class Member:
    pid: int
    state: str
    cleans_up: bool


def members(group: int) -> Iterator[Member]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, ValueError, IndexError):  # it ended meanwhile
                # The name, in parentheses, may have any content. The fields after it: state, parent, group.
                state, _, of_group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(of_group) == group:
                    cleans_up = _CLEANER in (entry / "cmdline").read_bytes()
                    yield Member(int(entry.name), state, cleans_up)


def is_stopped(group: int) -> bool:
    """True if a process of the group is stopped and not continued."""
    return any(member.state == _STOPPED for member in members(group))


def memory(group: int) -> int:
    """Resident bytes of the group; shared memory counts once for each process."""
    pages = 0
    for member in members(group):
        with suppress(OSError, ValueError, IndexError):
            pages += int(Path(f"/proc/{member.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_s(group: int) -> float:
    """Seconds that its processes have run on CPUs. One that ended takes its own along."""
    ticks = 0
    for member in members(group):
        with suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{member.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # utime and stime of proc_pid_stat(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def kill(group: int) -> None:
    """Kills all but resource trackers, which then remove shared memory: else each killed engine leaves 160 MiB."""
    for member in members(group):
        if not member.cleans_up:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(member.pid, signal.SIGKILL)


def memory_available() -> int:
    """Available bytes on this machine (proc_meminfo(5))."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return 0
