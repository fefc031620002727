import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from pdfingest.extract.registry import find_engines
from pdfingest.supervise.birth import _BIRTHS, WatchedContext, start_again, start_context


class Fragile:
    """A process that is killed while it is born, so often."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self.deaths:
            raise BrokenPipeError


def test_a_child_that_is_killed_while_it_is_born_is_started_again() -> None:
    process = Fragile(2)
    start_again(process.start)
    assert process.starts == 3


def test_a_child_that_is_never_born_is_given_up() -> None:
    process = Fragile(_BIRTHS + 1)
    with pytest.raises(BrokenPipeError):
        start_again(process.start)
    assert process.starts == _BIRTHS


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_all_threads_that_look_see_the_same_exit_code() -> None:
    context = WatchedContext(start_context(find_engines("pypdf")[0]))
    codes = set()

    def look(process: Any) -> None:
        while (code := process.exitcode) is None:
            pass
        time.sleep(0.01)
        codes.update({code, process.exitcode})

    for _ in range(40):
        process = context.Process(target=time.sleep, args=(60,))
        process.start()
        threads = [threading.Thread(target=look, args=(process,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        process.kill()
        process.join()
        for thread in threads:
            thread.join()
    assert codes == {-signal.SIGKILL}


WITHOUT_READER = """
import os, sys, time
from pdfingest.extract.registry import find_engines
from pdfingest.supervise.birth import start_context
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
os.close(writer)
sys.stdout = open(1, "w", closefd=False)
sys.stdout.write("what cannot be flushed")
process = start_context(find_engines("pypdf")[0]).Process(target=time.sleep, args=(0,))
process.start()
process.join()
os._exit(process.exitcode)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
def test_a_child_starts_where_nobody_reads_stdout_any_more() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_READER], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
