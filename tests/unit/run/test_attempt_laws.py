"""Laws of `attempts.after`, on files that kill, raise and run out of memory wherever they like."""

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.model import Attempt, Cost, Death, FailureKind
from pdfingest.run.attempts import MAX_DEATHS, Decision, GiveUp, after

MEMORY, CRASHED = FailureKind.MEMORY_LIMIT, FailureKind.CRASHED
Fault = FailureKind | None
KINDS = st.sampled_from([None, None, None, CRASHED, MEMORY])


@st.composite
def files(draw: st.DrawFn) -> tuple[int, int, dict[tuple[int, int], Fault]]:
    """Engines, pages, and what happens at (page, engine); page 0 is the opening."""
    engines, pages = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    places = [(page, engine) for page in range(pages + 1) for engine in range(engines)]
    return engines, pages, {place: draw(KINDS) for place in places}


def play(
    engines: int, pages: int, faults: dict[tuple[int, int], Fault]
) -> tuple[list[int], list[tuple[int, int, bool]], int]:
    """Do what a child does, until it is over: pages read, places tried, deaths."""
    read: list[int] = []
    tried: list[tuple[int, int, bool]] = []
    attempt, deaths = Attempt(), 0
    while True:
        death = child(attempt, pages, faults, read, tried)
        if death is None:
            return read, tried, deaths
        deaths += 1
        assert deaths <= MAX_DEATHS
        decision: Decision = after(attempt, death, engines=engines, deaths=deaths, in_time=True)
        if isinstance(decision, GiveUp):
            return read, tried, deaths
        assert decision.spool_bytes == len(read)
        attempt = decision


def child(
    attempt: Attempt,
    pages: int,
    faults: dict[tuple[int, int], Fault],
    read: list[int],
    tried: list[tuple[int, int, bool]],
) -> Death | None:
    """One child: opens by the first engine it may use, and reads to the end or to its death."""

    def trial(page: int, engine: int) -> Death | None:
        tried.append((page, engine, attempt.alone))
        kind = faults[page, engine]
        if kind is None:
            return None
        total = pages if page else 0
        return Death(kind, "", Cost(), engine, page, total, len(read))

    if death := trial(0, attempt.floor):
        return death
    for page in range(attempt.first_page, pages + 1):
        engine = attempt.engine if page == attempt.first_page else attempt.floor
        if death := trial(page, engine):
            return death
        read.append(page)
    return None


@given(files())
def test_it_ends_and_reads_no_page_twice(
    file: tuple[int, int, dict[tuple[int, int], Fault]],
) -> None:
    read, _, deaths = play(*file)
    assert read == sorted(set(read))
    assert deaths <= MAX_DEATHS


@given(files())
def test_no_page_is_tried_twice_by_one_engine_under_the_same_limits(
    file: tuple[int, int, dict[tuple[int, int], Fault]],
) -> None:
    _, tried, _ = play(*file)
    pages = [place for place in tried if place[0] > 0]
    assert len(pages) == len(set(pages))


@given(files())
def test_no_page_is_lost_that_some_engine_can_read(
    file: tuple[int, int, dict[tuple[int, int], Fault]],
) -> None:
    engines, pages, faults = file
    read, _, deaths = play(*file)
    opened = any(faults[0, engine] is None for engine in range(engines))
    if deaths == MAX_DEATHS or not opened:
        return
    floor = min(engine for engine in range(engines) if faults[0, engine] is None)
    readable = {
        page
        for page in range(1, pages + 1)
        if any(faults[page, engine] is None for engine in range(floor, engines))
    }
    assert set(read) == readable


def test_a_file_out_of_time_is_given_up_with_what_is_whole() -> None:
    death = Death(FailureKind.TIMEOUT, "", Cost(), 0, 5, 9, 1234)
    assert after(Attempt(), death, engines=2, deaths=1, in_time=False) == GiveUp(1234)
