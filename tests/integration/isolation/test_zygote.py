"""Children of one image differ where they must."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork")

FORKS = """
import os, sys
from pdfingest.isolation.contents import Contents
from pdfingest.isolation.zygote import make_image

(sys.path.insert(0, sys.argv[1]))
hooks, _ = make_image(Contents(("hooked", "random", "threading", "tempfile", "no_such_module")))
for number in range(2):
    pid = os.fork()
    if pid == 0:
        import random
        import threading
        import hooked
        print(random.random(), random.getrandbits(64), hooked.forks, flush=True)
        thread = threading.Thread(target=print, args=("thread", threading.main_thread().name),
            kwargs={"flush": True})
        thread.start()
        thread.join()
        for hook in hooks:
            os.register_at_fork(**hook)
        again = os.fork()
        if again == 0:
            print("again", hooked.forks, flush=True)
            os._exit(0)
        os.waitpid(again, 0)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
"""
HOOKED = """
import os
forks = 0
def forked():
    global forks
    forks += 1
os.register_at_fork(after_in_child=forked)
"""


def test_children_have_random_numbers_of_their_own_and_hooks_for_their_own_forks(
    tmp_path: object,
) -> None:
    with open(f"{tmp_path}/hooked.py", "w") as file:
        file.write(HOOKED)
    command = [sys.executable, "-c", FORKS, str(tmp_path)]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    numbers = [line.rsplit(" ", 1) for line in lines if line[0].isdigit()]
    assert len(numbers) == 2
    assert numbers[0][0] != numbers[1][0]
    assert [forks for _, forks in numbers] == ["0", "0"]  # the zygote's forks run no hook
    assert lines.count("thread MainThread") == 2
    assert lines.count("again 1") == 2  # those of its children do
