"""The image that children are forked from: one zygote, which may be killed or stopped any time."""

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import calls
import psutil
import pytest
from children import Watched, executor

from conftest import environment, wait_for
from pdfingest.isolation.contents import Contents, Loaded
from pdfingest.isolation.context import LOST
from pdfingest.isolation.executor import FreshExecutor
from pdfingest.isolation.image import Image
from pdfingest.isolation.start import FORK, WARM_UP
from pdfingest.isolation.warm_up import is_possible

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork")

DEADLINE_S = 20


@pytest.fixture
def image() -> Iterator[Image]:
    image = Image(Contents(), sys.path)
    yield image
    image.close()


def zygote_of(image: Image) -> psutil.Process:
    """The parent of its children, as one of them tells it."""
    with executor(image) as (pool, _):
        return psutil.Process(int(pool.submit(calls.parent).result(DEADLINE_S)))


def test_all_children_have_one_zygote(image: Image) -> None:
    assert zygote_of(image) == zygote_of(image)
    assert zygote_of(image).ppid() == os.getpid()


@pytest.mark.parametrize("how", [psutil.Process.kill, psutil.Process.suspend])
def test_a_zygote_that_is_killed_or_stopped_is_made_anew(
    image: Image, how: Callable[[psutil.Process], None]
) -> None:
    for _ in range(2):
        zygote = zygote_of(image)
        how(zygote)
        # A child that it had forked ahead may still be used.
        wait_for(partial(is_made_anew, image, zygote))


def is_made_anew(image: Image, zygote: psutil.Process) -> bool:
    try:
        return zygote_of(image) != zygote
    except psutil.NoSuchProcess:  # its last child has told of it
        return False


def test_an_executor_whose_zygote_is_stopped_is_ended_all_the_same(image: Image) -> None:
    fresh = FreshExecutor(image)
    zygote = psutil.Process(int(fresh.submit(calls.parent).result(DEADLINE_S)))
    zygote.suspend()
    left = [fresh.submit(calls.parent) for _ in range(3)]  # the spare child may do the first
    began_s = time.monotonic()
    fresh.end()
    assert time.monotonic() - began_s < 2
    assert left[-1].done()


def test_a_child_whose_zygote_is_gone_still_answers(image: Image, tmp_path: Path) -> None:
    shown, until = tmp_path / "shown", tmp_path / "until"
    zygote = zygote_of(image)
    with executor(image) as (pool, _):
        future = pool.submit(calls.show_and_wait, str(shown), b"7", str(until))
        wait_for(shown.exists)
        zygote.kill()
        until.touch()
        assert future.result(DEADLINE_S) == b"7"


def test_the_end_of_a_child_whose_zygote_is_gone_is_known_but_not_how(
    image: Image, tmp_path: Path
) -> None:
    zygote = zygote_of(image)
    with executor(image) as (pool, context):
        future = pool.submit(calls.show_and_wait, str(tmp_path / "shown"))
        wait_for((tmp_path / "shown").exists)
        zygote.kill()
        zygote.wait()
        process = context.newest
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)  # not `Process.kill`, which would know how
        assert future.exception(DEADLINE_S)
        wait_for(lambda: process.exitcode is not None)
        assert process.exitcode == LOST


def test_a_spare_child_that_is_killed_while_it_waits_is_replaced(image: Image) -> None:
    zygote = zygote_of(image)
    assert zygote_of(image) == zygote  # a run of one child has no spare one
    for _ in range(5):
        wait_for(lambda: len(zygote.children()) == 1)
        (spare,) = zygote.children()
        spare.kill()
        spare.wait(DEADLINE_S)
        watched = Watched(image)
        with executor(watched) as (pool, _):
            assert pool.submit(calls.echo, b"7").result(DEADLINE_S) == b"7"
        assert spare.pid not in [child.pid for child in watched.children]
    assert zygote_of(image) == zygote


def test_an_executor_without_calls_closes_at_once_though_its_zygote_is_stopped(
    image: Image,
) -> None:
    zygote = zygote_of(image)
    executor = FreshExecutor(image)
    assert executor.submit(calls.echo, b"7").result(DEADLINE_S) == b"7"
    wait_for(lambda: executor.process is not None and executor.process.pid)
    zygote.suspend()
    began_s = time.monotonic()
    executor.begin_close()
    executor.end()
    assert time.monotonic() - began_s < 0.9  # it would wait a second for an exit code


def test_nothing_is_left_of_an_image_that_is_closed(image: Image) -> None:
    zygote = zygote_of(image)
    wait_for(lambda: len(zygote.children()) == 1)
    processes = [zygote, *zygote.children()]
    image.close()
    wait_for(lambda: not any(map(psutil.Process.is_running, processes)), 3)


def test_a_fork_of_the_program_leaves_the_zygote_alone_and_makes_its_own(image: Image) -> None:
    zygote = zygote_of(image)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pytest-xdist has a thread
        pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            own = zygote_of(image)
            code = 0 if own != zygote and own.ppid() == os.getpid() else 2
            image.close()
        os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert zygote_of(image) == zygote


WITHOUT_READER = """
import os, sys
import calls
from children import executor
from pdfingest.isolation.contents import Contents, Loaded
from pdfingest.isolation.image import Image
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
os.close(writer)
sys.stdout = open(1, "w", closefd=False)
sys.stdout.write("what cannot be flushed")
image = Image(Contents(), sys.path)
with executor(image) as (pool, _):
    answer = pool.submit(calls.echo, b"7").result()
image.close()
os._exit(0 if answer == b"7" else 1)
"""

ORIGIN = """
import os
import calls
from children import executor
from pdfingest.engines.registry import find_engines
from pdfingest.isolation.start import starter
with executor(starter(find_engines("pdfium"), ())) as (pool, _):
    parent = int(pool.submit(calls.parent).result())
    immortal = [int(pool.submit(calls.is_immortal).result()) for _ in range(16)]
print(parent == os.getpid(), immortal[0], immortal[-1])
"""


def run(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of its own, which finds the modules of this folder."""
    path = os.pathsep.join([str(Path(calls.__file__).parent), str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=os.pathsep.join([path, os.environ.get("PYTHONPATH", "")]))
        | variables,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_child_is_started_where_nobody_reads_stdout_any_more() -> None:
    done = run(WITHOUT_READER)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("variables", "is_spawned", "is_immortal"),
    [
        ({}, False, is_possible()),
        ({FORK: "1", WARM_UP: "1"}, False, is_possible()),
        ({WARM_UP: "0"}, False, False),
        ({FORK: "0"}, True, False),
    ],
)
def test_the_environment_chooses_how_children_are_started(
    variables: dict[str, str], is_spawned: bool, is_immortal: bool
) -> None:
    done = run(ORIGIN, **variables)
    # A run of one file does not pay for what makes the forks of many cheaper.
    assert done.stdout.split() == [str(is_spawned), "0", str(int(is_immortal))], done.stderr


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
def test_an_image_with_models_is_warmed_up_before_its_first_child() -> None:
    models = Loaded("models", "json", warm="", warm_with="", idle_threads=0)
    image = Image(Contents(loaded=(models,)), sys.path)
    with executor(image) as (pool, _):
        assert int(pool.submit(calls.is_immortal).result(DEADLINE_S))
    image.close()


def test_signals_that_mean_the_run_do_not_reach_a_child_that_starts_or_works(
    image: Image, tmp_path: Path
) -> None:
    zygote = zygote_of(image)
    with executor(image) as (pool, context):
        until = tmp_path / "until"
        shown = tmp_path / "shown"
        future = pool.submit(calls.show_and_wait, str(shown), b"7", str(until))
        wait_for(shown.exists)
        assert context.newest is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            context.newest.signal(number)
            zygote.send_signal(number)
        until.touch()
        assert future.result(DEADLINE_S) == b"7"
    assert zygote_of(image) == zygote
