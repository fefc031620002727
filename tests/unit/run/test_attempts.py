"""What follows a death, on files that kill, raise and run out of memory wherever they like."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.isolation.context import LOST
from pdfingest.job import Attempt, Check, Closing, EngineSpec, Job, Limits, PageRange, Sandbox, Step
from pdfingest.model import Aside, FailureKind, Source, Unit
from pdfingest.outcome import Cost, Death
from pdfingest.run.attempts import (
    MAX_DEATHS,
    MAX_REPEATS,
    GiveUp,
    History,
    Repeat,
    after,
    blamed,
    explain,
    innermost,
)

MIB = 1 << 20
MEMORY, CRASHED, TIMEOUT = FailureKind.MEMORY_LIMIT, FailureKind.CRASHED, FailureKind.TIMEOUT
WHOLE = PageRange()
Fault = FailureKind | None
Faults = dict[tuple[int, int], Fault]
KINDS = st.sampled_from([None, None, None, CRASHED, MEMORY])


def job(step: Step, engines: int = 1, pages: PageRange = WHOLE) -> Job:
    specs = tuple(EngineSpec(f"{number}", "m:f", "1") for number in range(engines))
    limits = Limits(1 << 30, 1 << 30, 1000)
    source = Source("a.pdf", "/a.pdf")
    return Job(
        source, specs, (), Unit.PAGE, limits, "spool", Sandbox.OFF, pages=pages, step=step
    )  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> tuple[int, int, Faults]:
    """Engines, pages, and what happens at (page, engine); page 0 is the opening."""
    engines, pages = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    places = [(page, engine) for page in range(pages + 1) for engine in range(engines)]
    return engines, pages, {place: draw(KINDS) for place in places}


class Play:
    """Do what children do until it is over.

    A record is a byte here, so the length of the spool is the number of pages that were read.
    """

    def __init__(self, engines: int, pages: int, faults: Faults) -> None:
        self.read: list[int] = []
        self.tried: list[tuple[int, int, bool]] = []
        self.deaths = 0
        self.total_pages = 0
        self._pages = pages
        self._faults = faults
        self.last: Step | GiveUp = self._played(engines)

    def _played(self, engines: int) -> Step | GiveUp:
        """Give the step that ended by itself, or that there is none."""
        step: Attempt | Closing = Attempt()
        while isinstance(step, Attempt) and (death := self._child(step)):
            self.deaths += 1
            assert self.deaths <= MAX_DEATHS
            self.total_pages = max(self.total_pages, death.total_pages)
            history = History(deaths=self.deaths, total_pages=self.total_pages)
            decision = after(job(step, engines), death, history)
            if isinstance(decision, GiveUp):
                return decision
            assert not isinstance(decision, Repeat)
            assert decision.spool_bytes == len(self.read)
            step = decision
        return step

    def _child(self, attempt: Attempt) -> Death | None:
        """Open by the first engine that may be used, and read to the end or to a death."""
        if death := self._trial(attempt, 0, attempt.floor):
            return death
        for page in range(attempt.first_page, self._pages + 1):
            engine = attempt.engine if page == attempt.first_page else attempt.floor
            if death := self._trial(attempt, page, engine):
                return death
            self.read.append(page)
        return None

    def _trial(self, attempt: Attempt, page: int, engine: int) -> Death | None:
        self.tried.append((page, engine, attempt.alone))
        kind = self._faults[page, engine]
        if kind is None:
            return None
        total = self._pages if page else 0
        return Death(kind, "", Cost(), engine, page, total, len(self.read))


@given(files())
def test_it_ends_and_reads_no_page_twice(file: tuple[int, int, Faults]) -> None:
    play = Play(*file)
    assert play.read == sorted(set(play.read))
    assert play.deaths <= MAX_DEATHS


@given(files())
def test_no_page_is_tried_twice_by_one_engine_under_the_same_limits(
    file: tuple[int, int, Faults],
) -> None:
    pages = [place for place in Play(*file).tried if place[0] > 0]
    assert len(pages) == len(set(pages))


@given(files())
def test_no_page_is_lost_that_some_engine_can_read(file: tuple[int, int, Faults]) -> None:
    engines, pages, faults = file
    play = Play(*file)
    opened = any(faults[0, engine] is None for engine in range(engines))
    if play.deaths == MAX_DEATHS or not opened:
        return
    floor = min(engine for engine in range(engines) if faults[0, engine] is None)
    readable = {
        page
        for page in range(1, pages + 1)
        if any(faults[page, engine] is None for engine in range(floor, engines))
    }
    assert set(play.read) == readable


@given(files())
def test_what_was_read_is_closed_and_only_what_left_nothing_is_given_up(
    file: tuple[int, int, Faults],
) -> None:
    play = Play(*file)
    if isinstance(play.last, Closing):
        assert play.read
        assert play.last == Closing(play.total_pages, len(play.read))
    if isinstance(play.last, GiveUp):
        assert not play.read


PAGE_5 = Death(TIMEOUT, "", Cost(), 0, 5, 9, 1234)


@pytest.mark.parametrize(
    "history", [History(in_time=False, total_pages=9), History(MAX_DEATHS, total_pages=9)]
)
def test_a_file_without_time_or_with_too_many_deaths_is_closed_with_what_is_whole(
    history: History,
) -> None:
    assert after(job(Attempt(), engines=2), PAGE_5, history) == Closing(9, 1234)
    assert after(job(Attempt(), engines=2), PAGE_5._replace(spool_bytes=0), history) == GiveUp()


@pytest.mark.parametrize("step", [Closing(9, 1234), Check()])
def test_a_step_that_reads_no_page_is_not_tried_anew(step: Step) -> None:
    assert after(job(step, engines=2), PAGE_5, History()) == GiveUp()


@pytest.mark.parametrize("step", [Attempt(), Attempt(3, spool_bytes=7), Closing(9, 7), Check()])
def test_a_step_whose_child_was_not_at_fault_is_repeated_so_often_and_no_more(step: Step) -> None:
    death = PAGE_5._replace(is_at_fault=False, page=0, spool_bytes=0)
    for repeats in range(MAX_REPEATS):
        assert after(job(step), death, History(repeats=repeats)) == Repeat()
    assert after(job(step), death, History(repeats=MAX_REPEATS)) == GiveUp()


def test_the_last_page_of_a_range_is_not_followed_by_one_of_another_lane() -> None:
    step, part = Attempt(first_page=3), PageRange(3, 5)
    assert after(job(step, pages=part), PAGE_5, History()) == Closing(0, 1234)
    four = PAGE_5._replace(page=4)
    assert after(job(step, pages=part), four, History()) == step._replace(
        first_page=5, spool_bytes=1234
    )


@pytest.mark.parametrize("page", [0, 5])
@pytest.mark.parametrize("aside", Aside)
def test_what_is_not_the_text_is_left_out_once_and_then_blamed_no_more(
    aside: Aside, page: int
) -> None:
    death = PAGE_5._replace(aside=aside, page=page)
    next_ = after(job(Attempt(first_page=2)), death, History())
    assert next_ == Attempt(first_page=page or 2, spool_bytes=1234, without=(aside,))
    assert isinstance(next_, Attempt)
    following = after(job(next_), death, History(2))
    assert following != next_
    assert not isinstance(following, Attempt) or following.without == (aside,)


def test_ocr_that_kills_a_page_is_tried_again_on_the_next() -> None:
    fifth = PAGE_5._replace(aside=Aside.OCR)
    without = after(job(Attempt(first_page=2)), fifth, History())
    assert isinstance(without, Attempt)
    assert without.is_without(Aside.OCR, 5)
    assert not without.is_without(Aside.OCR, 6)
    assert after(job(without), fifth._replace(page=6), History(2)) == without._replace(first_page=6)


@pytest.mark.parametrize(
    ("code", "peak_mib", "kind", "name"),
    [
        (0, 0, CRASHED, ""),
        (None, 0, CRASHED, ""),
        (LOST, 0, CRASHED, ""),
        (-signal.SIGSEGV, 10, CRASHED, "SIGSEGV"),
        (-signal.SIGABRT, 90, MEMORY, "SIGABRT"),
        (-signal.SIGABRT, 10, CRASHED, "SIGABRT"),
        (-signal.SIGKILL, 90, CRASHED, "SIGKILL"),
        (-250, 0, CRASHED, "signal 250"),
    ],
)
def test_a_death_is_told_by_evidence(
    code: int | None, peak_mib: int, kind: FailureKind, name: str
) -> None:
    assert explain(code, peak_mib * MIB, 100 * MIB)[::2] == (kind, name)


def test_the_innermost_frames_are_told_on_one_line() -> None:
    stack = (
        "Current thread 0x1 (most recent call first):\n"
        '  File "/a/deep.py", line 7 in inner\n'
        '  File "/a/mid.py", line 6 in outer\n'
    )
    assert innermost(stack) == "inner (deep.py:7) < outer (mid.py:6)"
    assert innermost("") == ""


def test_a_kill_by_the_kernel_for_want_of_memory_is_blamed_on_the_memory_limit() -> None:
    killed = Death(FailureKind.CRASHED, "", Cost(signal="SIGKILL"))
    assert blamed(killed, oom_kills=1).kind is FailureKind.MEMORY_LIMIT
    assert blamed(killed, oom_kills=0) == killed
    for other in (
        Death(FailureKind.CRASHED, "", Cost(signal="SIGSEGV")),
        Death(FailureKind.TIMEOUT, "", Cost(signal="SIGKILL")),
    ):
        assert blamed(other, oom_kills=1) == other
