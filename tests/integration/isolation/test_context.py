"""The library's executor on a context of ours, with forks of an image and with `spawn`."""

import gc
import os
import pickle
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Full, SimpleQueue
from typing import Any

import calls
import psutil
import pytest
from children import Barren, Watched, executor

from conftest import FORKS, make_pdf, wait_for
from pdfingest import IngestOptions
from pdfingest.engines.registry import find_engines
from pdfingest.isolation.contents import Contents
from pdfingest.isolation.context import LOST, Context, Process, Starter
from pdfingest.isolation.image import Image
from pdfingest.isolation.spawn import Spawner
from pdfingest.job import Job, Sandbox
from pdfingest.model import Source, Unit
from pdfingest.outcome import Death
from pdfingest.run.lane import Inbox, Lane
from pdfingest.run.turn import TimeLimits
from pdfingest.run.work import Work

pytestmark = pytest.mark.skipif(os.name != "posix", reason="calls that need POSIX")

DEADLINE_S = 20


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    image = Image(Contents(), sys.path)
    yield image
    image.close()


@pytest.fixture
def starter(starts: str, image: Image) -> Starter:
    return image if starts == FORKS else Spawner()


def number(future: "Future[bytes]") -> int:
    return int(future.result(DEADLINE_S))


def newest(context: Context) -> Process:
    """The process that was started last."""
    wait_for(lambda: context.newest and context.newest.pid)
    assert context.newest is not None
    return context.newest


def is_over(pid: int) -> bool:
    """Whether a process is gone, or has only its exit code left."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_each_call_has_a_process_of_its_own_which_leads_a_group(starter: Starter) -> None:
    with executor(starter) as (pool, _):
        pids = [number(pool.submit(calls.pid)) for _ in range(3)]
        group = number(pool.submit(calls.group))
    assert len({os.getpid(), *pids}) == 4
    assert group not in (os.getpgrp(), *pids)


def test_all_threads_that_look_see_the_same_exit_code(starter: Starter, tmp_path: Path) -> None:
    codes: set[int | None] = set()

    def look(process: Process) -> None:
        while (code := process.exitcode) is None:
            pass
        codes.update({code, process.exitcode})

    for round_ in range(5):
        with executor(starter) as (pool, context):
            shown = tmp_path / f"{round_}"
            pool.submit(calls.show_and_wait, str(shown))
            wait_for(shown.exists)
            process = newest(context)
            threads = [threading.Thread(target=look, args=(process,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            process.kill()
            for thread in threads:
                thread.join()
            codes.add(process.exitcode)
    assert codes == {-signal.SIGKILL}


@pytest.mark.parametrize("code", [0, 7])
def test_a_process_that_ends_without_an_answer_breaks_its_executor_and_has_its_exit_code(
    starter: Starter, code: int
) -> None:
    with executor(starter) as (pool, context):
        future = pool.submit(calls.end, code)
        with pytest.raises(BrokenProcessPool):
            future.result(DEADLINE_S)
        assert newest(context).exitcode == code


def test_a_function_that_raises_counts_as_a_death(starter: Starter) -> None:
    with executor(starter) as (pool, _):
        future = pool.submit(calls.fail)
        with pytest.raises(BrokenProcessPool):
            future.result(DEADLINE_S)


def test_a_death_breaks_its_own_executor_only(starter: Starter, starts: str) -> None:
    with executor(starter) as (other, _):
        for _ in range(20 if starts == FORKS else 3):
            with executor(starter) as (pool, _):
                good = [pool.submit(calls.echo, b"%d" % n) for n in range(3)]
                bad: list[Future[Any]] = [pool.submit(calls.die)]
                bad += [pool.submit(calls.pid) for _ in range(3)]
                assert [number(future) for future in good] == [0, 1, 2]
                for future in bad:
                    with pytest.raises(BrokenProcessPool):
                        future.result(DEADLINE_S)
            assert number(other.submit(calls.echo, b"1")) == 1


def test_a_kill_from_outside_breaks_its_own_executor_only(
    starter: Starter, starts: str, tmp_path: Path
) -> None:
    with executor(starter) as (other, _):
        for round_ in range(10 if starts == FORKS else 2):
            with executor(starter) as (pool, context):
                shown = tmp_path / f"{round_}"
                future = pool.submit(calls.show_and_wait, str(shown))
                wait_for(shown.exists)
                assert newest(context).pid == int(shown.read_bytes())
                os.kill(newest(context).pid, signal.SIGKILL)
                with pytest.raises(BrokenProcessPool):
                    future.result(DEADLINE_S)
                assert newest(context).exitcode == -signal.SIGKILL
            assert number(other.submit(calls.echo, b"1")) == 1


class Bomb:
    """An object whose pickle makes a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self._path,)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 16])
def test_an_answer_that_is_a_pickle_is_not_loaded(
    starter: Starter, tmp_path: Path, length: int
) -> None:
    """Whether it comes alone or, as an answer does, behind the number of the call."""
    pickled = pickle.dumps(Bomb(tmp_path / "loaded"))
    pickle.loads(pickle.dumps(Bomb(tmp_path / "proof")))  # so that this test can fail
    assert (tmp_path / "proof").exists()
    content = struct.pack("=QQ", 0, 0)[:length] + pickled
    with executor(starter) as (pool, _):
        future = pool.submit(calls.send, content)
        if length in (8, 16):  # the number of the call is there, and so it is bytes of a job
            assert future.result(DEADLINE_S) == content[16:]
        else:
            with pytest.raises(BrokenProcessPool):
                future.result(DEADLINE_S)
    assert not (tmp_path / "loaded").exists()


@pytest.mark.parametrize("other", [1, 99, (1 << 64) - 1])
def test_an_answer_to_another_call_is_refused(starter: Starter, other: int) -> None:
    with executor(starter) as (pool, _):
        first: Future[Any] = pool.submit(calls.answer, other, b"7")
        with pytest.raises(BrokenProcessPool):  # at once if the answer is there, or else in turn
            pool.submit(calls.pid).result(DEADLINE_S)
        with pytest.raises(BrokenProcessPool):
            first.result(DEADLINE_S)


def test_an_answer_to_a_call_that_was_answered_is_refused(starter: Starter) -> None:
    with executor(starter) as (pool, _):
        first: Future[Any] = pool.submit(calls.answer, 0, b"7")
        assert first.result(DEADLINE_S) == b"7"
        again = pool.submit(calls.answer, 0, b"8")
        with pytest.raises(BrokenProcessPool):
            again.result(DEADLINE_S)


def test_a_second_call_waits_in_the_executor_until_a_process_is_there_for_it(
    starter: Starter, tmp_path: Path
) -> None:
    watched, may_start = Watched(starter), threading.Event()
    with executor(watched) as (pool, _):
        shown, until = tmp_path / "shown", tmp_path / "until"
        first = pool.submit(calls.show_and_wait, str(shown), b"1", str(until))
        others = [pool.submit(calls.echo, b"%d" % n) for n in range(2, 6)]
        wait_for(shown.exists)
        watched.before = lambda: assert_set(may_start)
        assert first.running()
        for _ in range(1000):
            assert not any(future.running() for future in others)
        until.touch()
        assert number(first) == 1
        # It has answered, and the next process is yet to be started.
        for _ in range(1000):
            assert not any(future.running() for future in others)
        assert others[3].cancel()
        may_start.set()
        assert [number(future) for future in others[:3]] == [2, 3, 4]
        assert len(watched.children) in (4, 5)  # one may be there for a call to come


def assert_set(event: threading.Event) -> None:
    assert event.wait(DEADLINE_S)


def test_the_call_queue_has_room_for_one_call_for_each_process_that_was_started(
    starter: Starter,
) -> None:
    context = Context(starter)
    queue: Queue[int] = Queue(7, ctx=context)
    assert queue.full()
    with pytest.raises(Full):
        queue.put(1, block=False)
    process = context.Process(target=calls.echo, args=(b"", b""))
    process.start()
    assert process.pid
    assert not queue.full()
    queue.put(1)
    assert queue.full()
    queue.close()
    queue.join_thread()
    process.kill()
    process.wait()
    context.close()


def test_two_threads_that_submit_at_once_start_one_process(
    starter: Starter, starts: str, tmp_path: Path
) -> None:
    for round_ in range(20 if starts == FORKS else 3):
        submit_at_once(starter, tmp_path / f"shown{round_}", tmp_path / f"until{round_}")


def test_no_process_is_added_by_two_threads_when_an_answer_meets_the_next_call(
    starter: Starter, starts: str
) -> None:
    """The executor's thread replaces the process that has answered, while a call comes."""
    watched = Watched(starter)
    watched.before = partial(threading.Event().wait, 0.003)
    with executor(watched) as (pool, _):
        for count in range(1, 100 if starts == FORKS else 8):
            number(pool.submit(calls.pid))
            assert len(watched.children) <= count + 1


def submit_at_once(starter: Starter, shown: Path, until: Path) -> None:
    """Submit two calls, of which the first to come waits until a file is there."""
    watched, together = Watched(starter), threading.Barrier(2)
    futures: SimpleQueue[Future[bytes]] = SimpleQueue()
    with executor(watched) as (pool, _):

        def submit() -> None:
            together.wait()
            futures.put(pool.submit(calls.show_and_wait, str(shown), b"1", str(until)))

        threads = [threading.Thread(target=submit) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(shown.exists)
        assert len(watched.children) == 1
        until.touch()
        assert [number(futures.get()) for _ in range(2)] == [1, 1]


def test_where_no_child_can_be_started_the_executor_breaks() -> None:
    barren = Barren()
    with executor(barren) as (pool, context):
        future = pool.submit(calls.pid)
        with pytest.raises(BrokenProcessPool):
            future.result(DEADLINE_S)
        process = context.newest
        assert process is not None
        assert (process.pid, process.exitcode, process.start_error) == (0, LOST, "no process")
        assert not process.is_alive()
    assert barren.tries > 3


def test_a_lane_says_so_where_no_child_can_be_started(tmp_path: Path) -> None:
    inbox: Inbox = SimpleQueue()
    lane = Lane(0, Barren(), inbox, str(tmp_path / "notes"), TimeLimits(60, 60))
    path, limits = make_pdf(tmp_path / "a.pdf"), IngestOptions(workers=1).limits()
    job = Job(
        Source("a.pdf", str(path)), find_engines("pdfium"), (), Unit.PAGE, limits,
        str(tmp_path / "spool"), Sandbox.OFF,
    )  # fmt: skip
    lane.start(Work(job))
    turn = inbox.get(timeout=DEADLINE_S)
    assert turn is not None
    death = lane.finish(turn)
    lane.close()
    assert isinstance(death, Death)
    assert (death.message, death.was_started, death.is_at_fault) == ("no process", False, False)


def test_a_child_that_held_much_is_waited_for(starter: Starter) -> None:
    watched = Watched(starter)
    ended: list[bool] = []
    with executor(watched) as (pool, _):
        watched.before = lambda: ended.extend(is_over(child.pid) for child in watched.children)
        futures = [pool.submit(calls.hold, 400), pool.submit(calls.pid)]
        assert len({number(future) for future in futures}) == 2
    assert ended[:1] == [True]


@pytest.mark.parametrize("what", ["answer", "die"])
def test_what_a_child_forked_ends_with_it(starter: Starter, tmp_path: Path, what: str) -> None:
    shown, until = tmp_path / "shown", tmp_path / "until"
    with executor(starter) as (pool, context):
        future = pool.submit(calls.fork_and, str(shown), what, str(until))
        wait_for(shown.exists)
        forked, process = int(shown.read_bytes()), newest(context)
        until.touch()
        assert future.exception(DEADLINE_S) is None or what == "die"
        wait_for(lambda: process.has_ended(0), 3)  # as a lane does
        wait_for(lambda: is_over(forked), 3)


def test_a_job_has_no_pipe_by_which_it_could_reach_the_next(starter: Starter, starts: str) -> None:
    with executor(starter) as (pool, _):
        counts = pool.submit(calls.pipes_of_a_job).result(DEADLINE_S)
    # A pipe for its answer; `spawn` has one more at the other end of which the parent waits for its
    # end, and one by which it sees the end of the parent.
    assert counts == (b"0 1" if starts == FORKS else b"1 2")


def count_descriptors() -> int:
    gc.collect()  # what earlier tests left in circles
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_no_descriptor_is_left_of_executors_that_were_used_or_broken(
    starter: Starter, starts: str
) -> None:
    def use(round_: int) -> None:
        with executor(starter) as (pool, _):
            if round_ % 3:
                number(pool.submit(calls.pid))
            if round_ % 2:
                pool.submit(calls.die).exception(DEADLINE_S)

    for round_ in range(6):
        use(round_)
    before = count_descriptors()
    for round_ in range(50 if starts == FORKS else 8):
        use(round_)
    assert count_descriptors() == before
