import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import shared_memory

import pytest

from operators.local import process_group

# A parent and a child that share memory, as an engine and its worker do.
SHARING = """
import multiprocessing, time
from multiprocessing import shared_memory
def work(name): shared_memory.SharedMemory(name); time.sleep(1000)
if __name__ == "__main__":
    memory = shared_memory.SharedMemory(create=True, size=4096)
    multiprocessing.get_context("spawn").Process(target=work, args=(memory.name,)).start()
    print(memory.name, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator["subprocess.Popen[str]"]:
    script = tmp_path_factory.mktemp("sharing") / "sharing.py"
    script.write_text(SHARING)
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        process_group.kill(process.pid)


def test_the_members_of_a_group_end_and_leave_no_shared_memory(sharing: "subprocess.Popen[str]") -> None:
    assert sharing.stdout
    name = sharing.stdout.readline().strip()
    assert len(list(process_group.members(sharing.pid))) >= 2
    assert process_group.memory(sharing.pid) > 0
    process_group.kill(sharing.pid)
    sharing.wait()
    deadline = time.monotonic() + 30
    while list(process_group.members(sharing.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(FileNotFoundError):
        shared_memory.SharedMemory(name)


def test_a_group_is_stopped_when_one_of_it_is(sharing: "subprocess.Popen[str]") -> None:
    assert not process_group.is_stopped(sharing.pid)
    os.kill(sharing.pid, signal.SIGSTOP)
    while not process_group.is_stopped(sharing.pid):
        time.sleep(0.01)
    os.kill(sharing.pid, signal.SIGCONT)


def test_the_memory_that_is_left_is_a_positive_number() -> None:
    assert process_group.memory_available() > 0
