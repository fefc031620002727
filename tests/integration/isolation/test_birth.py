import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest
from pdfingest.isolation.birth import LOST
from pdfingest.isolation.forks import _TRIES, Fork, Forks

from conftest import wait_for
from pdfingest import IngestOptions
from pdfingest.engines.registry import find_engines
from pdfingest.isolation import forks as forks_module
from pdfingest.isolation.image import Image
from pdfingest.isolation.spawn import _BIRTHS as SPAWNS
from pdfingest.isolation.spawn import start_again
from pdfingest.isolation.wire import NUMBER
from pdfingest.model import Death, Job, Sandbox, Source, Unit
from pdfingest.run.lane import Inbox, Lane, TimeLimits

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork")


class Fragile:
    """A process that is killed while it is born, so often."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self.deaths:
            raise BrokenPipeError


def test_a_spawned_child_that_is_killed_while_it_is_born_is_started_again() -> None:
    process = Fragile(2)
    start_again(process.start)
    assert process.starts == 3


def test_a_spawned_child_that_is_never_born_is_given_up() -> None:
    process = Fragile(SPAWNS + 1)
    with pytest.raises(BrokenPipeError):
        start_again(process.start)
    assert process.starts == SPAWNS


class Call:
    """What an executor hands over."""

    work_id = 7

    def __init__(self, job: Job) -> None:
        self.args = (job,)


@pytest.fixture
def image() -> Iterator[Image]:
    image = Image([], sys.path)
    yield image
    image.close()


@pytest.fixture
def forks(image: Image) -> Iterator[Forks]:
    forks = Forks(image)
    yield forks
    forks.close()


@pytest.fixture
def job(faulty: Callable[..., Path], tmp_path: Path) -> Callable[..., Job]:
    def make(name: str, **order: object) -> Job:
        engines = find_engines("faulty")
        (tmp_path / "recorder").write_bytes(bytes(4096))
        return Job(
            Source(name, str(faulty(name, **order))),
            engines,
            (),
            Unit.PAGE,
            IngestOptions(workers=1).limits(),
            str(tmp_path / f"{name}.spool"),
            Sandbox.OFF,
            recorder=str(tmp_path / "recorder"),
            ticket=1,
        )

    return make


def born(forks: Forks, job: Job) -> Fork:
    fork = Fork(forks)
    fork.begin(Call(job))
    return fork


def is_extracted(fork: Fork) -> bool:
    """Whether its child answers that all went well."""
    return fork.answer().result.startswith(b'["Extracted"')


def test_all_threads_that_look_see_the_same_exit_code(
    forks: Forks, job: Callable[..., Job]
) -> None:
    codes = set()

    def look(fork: Fork) -> None:
        while (code := fork.exitcode) is None:
            pass
        time.sleep(0.01)
        codes.update({code, fork.exitcode})

    for number in range(20):
        fork = born(forks, job(f"{number}", fault="hang"))
        threads = [threading.Thread(target=look, args=(fork,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        fork.kill()
        for thread in threads:
            thread.join()
        fork.wait()
    assert codes == {-signal.SIGKILL}


def test_a_zygote_that_is_killed_is_made_anew(
    image: Image, forks: Forks, job: Callable[..., Job]
) -> None:
    for number in range(3):
        fork = born(forks, job(f"{number}"))
        assert is_extracted(fork)
        fork.wait()
        assert image._zygote is not None
        image._zygote.kill()
        image._zygote.wait()


def test_a_child_whose_zygote_is_gone_still_answers_and_its_end_is_known(
    image: Image, forks: Forks, job: Callable[..., Job]
) -> None:
    fork = born(forks, job("a", fault="sleep", seconds=0.5))
    assert image._zygote is not None
    image._zygote.kill()
    assert is_extracted(fork)
    fork.wait()
    assert fork.exitcode == LOST


def test_a_newborn_that_is_killed_while_it_waits_is_replaced(
    image: Image, forks: Forks, job: Callable[..., Job]
) -> None:
    image.conceive()
    for number in range(5):
        assert image._ahead is not None
        os.kill(pid_of_newborn(image), signal.SIGKILL)
        os.read(image._ahead.exit_code, 1)
        fork = born(forks, job(f"{number}"))
        assert is_extracted(fork)
        fork.wait()


def pid_of_newborn(image: Image) -> int:
    """The child that is ahead; its number is yet to be read."""
    assert image._control is not None
    found = image._control.recv(NUMBER.size, socket.MSG_PEEK | socket.MSG_WAITALL)
    return int(NUMBER.unpack(found)[0])


def test_where_no_child_can_be_born_the_executor_sees_one_that_has_ended(
    forks: Forks, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def newborn() -> None:
        tries.append(1)
        raise BlockingIOError

    monkeypatch.setattr(forks.image, "newborn", newborn)
    fork = born(forks, job("a"))
    assert len(tries) == _TRIES
    assert fork.exitcode == LOST
    assert not fork.is_alive()
    assert os.read(fork.sentinel, 1) == b""
    fork.join()


def test_a_lane_says_so_where_no_child_can_be_born(
    image: Image, job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newborn() -> None:
        raise BlockingIOError("no process")

    inbox: Inbox = SimpleQueue()
    lane = Lane(0, Forks(image), inbox, str(tmp_path / "notes"), TimeLimits(60, 60))
    monkeypatch.setattr(image, "newborn", newborn)
    lane.start(job("a"))
    turn = inbox.get(timeout=10)
    assert turn is not None
    death = lane.finish(turn)
    lane.close()
    assert isinstance(death, Death)
    assert not death.was_started


def test_a_child_that_held_much_is_waited_for(
    forks: Forks, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks_module, "_LARGE_BYTES", 0)
    fork = born(forks, job("a"))
    fork.answer()
    pid = fork.pid
    fork.join()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).memory_info().rss == 0


@pytest.mark.parametrize("fault", ["forks", "forks_and_dies"])
def test_what_a_child_forked_ends_with_it(
    forks: Forks, job: Callable[..., Job], fault: str
) -> None:
    fork = born(forks, job("a", fault=fault))
    wait_for(lambda: fork.exitcode is not None)
    # The pipe that a child's life hangs on is still open.
    wait_for(lambda: not is_group(fork.pid), 2)
    fork.wait()


def is_group(pid: int) -> bool:
    """Whether there is a process in this group."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_fork_of_the_program_leaves_the_zygote_alone_and_makes_its_own(
    image: Image, forks: Forks, job: Callable[..., Job]
) -> None:
    fork = born(forks, job("a"))
    fork.answer()
    fork.wait()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            assert image._zygote is None
            assert image._control is None
            again = born(forks, job("b"))
            code = 0 if is_extracted(again) else 2
            image.close()
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    fork = born(forks, job("c"))
    assert is_extracted(fork)
    fork.wait()


WITHOUT_READER = """
import os, sys
from pdfingest.isolation.image import Image
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
os.close(writer)
sys.stdout = open(1, "w", closefd=False)
sys.stdout.write("what cannot be flushed")
image = Image([], sys.path)
newborn = image.newborn()
image.close()
os._exit(0 if newborn.pid > 0 else 1)
"""


def test_a_child_is_born_where_nobody_reads_stdout_any_more() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_READER], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
