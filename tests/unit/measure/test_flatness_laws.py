"""What the slope of memory and its verdict hold to, whatever the samples."""

import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.measure.flatness import (
    CONFIDENCE,
    LEAST_FILES,
    THRESHOLD_BYTES,
    Trend,
    Verdict,
    changes,
    judge,
    theil_sen,
)

KIB, MIB = 1 << 10, 1 << 20
POINTS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**9)),
    min_size=3, max_size=24, unique_by=(lambda p: p[0], lambda p: p[1]),
).map(sorted)  # fmt: skip


def series(
    slope: float, files: int = 2000, samples: int = 200, seed: int = 0
) -> list[tuple[int, int]]:
    """Memory as a run shows it: a warm-up of 3 MiB, steps of a page, noise, and wild spikes."""
    random = Random(seed)
    result = []
    for number in range(1, samples + 1):
        done = number * files // samples
        held = (
            30 * MIB + min(done / files * 8, 1) * 3 * MIB + slope * done + random.gauss(0, 8 * KIB)
        )
        if random.random() < 0.1:
            held += random.uniform(0, 50 * MIB)
        result.append((done, int(held) // 4096 * 4096))
    return result


@given(POINTS)
def test_slope_and_interval_are_those_of_scipy(points: list[tuple[int, int]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    x, y = zip(*points, strict=True)
    theirs = stats.theilslopes(y, x, CONFIDENCE)
    ours = theil_sen(points)
    assert ours == pytest.approx((theirs.slope, theirs.low_slope, theirs.high_slope))


@given(POINTS, st.integers(-(10**9), 10**9))
def test_memory_that_was_there_before_does_not_count(
    points: list[tuple[int, int]], shift: int
) -> None:
    moved = [(x, y + shift) for x, y in points]
    assert theil_sen(moved) == pytest.approx(theil_sen(points), abs=1e-6)


@given(POINTS, st.integers(-1000, 1000))
def test_a_leak_adds_to_the_slope_what_it_takes(points: list[tuple[int, int]], leak: int) -> None:
    leaking = [(x, y + leak * x) for x, y in points]
    expected = [end + leak for end in theil_sen(points)]
    assert theil_sen(leaking) == pytest.approx(expected, abs=1e-3)


@given(st.integers(0, 10**6), st.sampled_from([-500, 0, 100, 300]))
def test_what_does_not_grow_is_flat_under_noise_and_spikes(seed: int, slope: int) -> None:
    trend = judge(series(slope, seed=seed))
    assert trend.verdict is Verdict.FLAT
    assert trend.bytes_per_file_low <= slope + 100
    assert trend.bytes_per_file_high >= slope - 100


@given(st.integers(0, 10**6), st.sampled_from([1 * KIB, 10 * KIB, 100 * KIB]))
def test_a_leak_is_seen_under_noise_and_spikes(seed: int, slope: int) -> None:
    trend = judge(series(slope, seed=seed))
    assert trend.verdict is Verdict.GROWS
    assert trend.bytes_per_file == pytest.approx(slope, rel=0.15)


@given(st.integers(1000, 20_000), st.integers(1, 50 * MIB))
def test_what_is_taken_at_first_is_no_leak(files: int, taken: int) -> None:
    points = [
        (number, taken * min(number * 5 // files, 1) + 4096 * (number % 2))
        for number in range(1, files + 1, max(files // 300, 1))
    ]
    ramp = [(number, held + min(number, files // 5) * 10 * KIB) for number, held in points]
    assert judge(ramp).verdict is Verdict.FLAT


@given(st.integers(1, LEAST_FILES - 1), st.integers(0, 100 * KIB), st.integers(1, 400))
def test_too_few_files_are_never_flat(files: int, slope: int, samples: int) -> None:
    assert judge(series(slope, files, samples)).verdict is Verdict.INCONCLUSIVE


@given(st.integers(0, 7))
def test_too_few_samples_are_never_flat(samples: int) -> None:
    points = [(1000 * number, 30 * MIB) for number in range(samples)]
    assert judge(points).verdict is Verdict.INCONCLUSIVE


@given(st.lists(st.integers(0, 10**9), min_size=30, max_size=100))
def test_the_slope_lies_within_its_interval_and_the_verdict_follows_from_it(
    held: list[int],
) -> None:
    trend = judge([(number * 50, each) for number, each in enumerate(held)])
    assert trend.bytes_per_file_low <= trend.bytes_per_file <= trend.bytes_per_file_high
    assert (trend.verdict is Verdict.FLAT) == (trend.bytes_per_file_high < THRESHOLD_BYTES)
    assert (trend.verdict is Verdict.GROWS) == (trend.bytes_per_file_low >= THRESHOLD_BYTES)


def test_a_larger_leak_has_a_larger_slope() -> None:
    slopes = [judge(series(leak)).bytes_per_file for leak in range(0, 10_000, 500)]
    assert all(less < more for less, more in pairwise(slopes))


@given(st.integers(0, 10**6), st.integers(-1000, 10_000))
def test_the_change_that_is_drawn_is_the_one_that_is_judged(seed: int, slope: int) -> None:
    points = series(slope, seed=seed)
    drawn = changes(points)
    trend = judge(points)
    assert (drawn[0][0], drawn[-1][0]) == (510, 2000)
    assert trend.files == drawn[-1][0] - drawn[0][0]
    assert judge([(files, held + 10**9) for files, held in points]) == trend
    assert {b - a for (_, a), (_, b) in zip(drawn, points[-len(drawn) :], strict=True)} == {
        points[-1][1] - drawn[-1][1]
    }


@given(st.integers(1, 10), st.integers(0, 100))
def test_all_is_drawn_where_there_is_too_little_to_judge(files: int, held: int) -> None:
    assert changes([(files, held)]) == [(files, 0)]
    assert changes([]) == []


@given(st.integers(0, 10**6), st.integers(-1000, 10_000), st.integers(1, 2000))
def test_a_trend_comes_back_from_json(seed: int, slope: int, files: int) -> None:
    written = judge(series(slope, files, seed=seed)).to_json()
    assert Trend.of_json(json.loads(json.dumps(written))).to_json() == written


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(-1000, 10_000))
def test_files_that_were_not_read_are_no_evidence(seed: int, unchanged: int, slope: int) -> None:
    points = [(0, 33 * MIB), *series(slope, seed=seed)]
    later = [(unchanged + files, held) for files, held in points]
    assert judge(later) == judge(points)
    few = [(unchanged + files, 30 * MIB) for files in range(60)]
    assert judge(few).verdict is Verdict.INCONCLUSIVE
    assert judge(few).files_to_go == 441


@given(st.integers(500, 100_000), st.integers(2, 9))
def test_of_few_looks_it_is_foreseen_how_many_files_they_take(files: int, looks: int) -> None:
    points = [(files * look // looks, 30 * MIB) for look in range(looks + 1)]
    trend = judge(points)
    assert trend.verdict is Verdict.INCONCLUSIVE
    spacing = max(files // looks, 1)
    more = range(files + spacing, files + trend.files_to_go + spacing, spacing)
    assert judge([*points, *((each, 30 * MIB) for each in more)]).verdict is Verdict.FLAT


def test_too_few_files_say_what_was_seen_and_how_many_more_it_takes() -> None:
    trend = judge([(0, 30 * MIB), (100, 30 * MIB + 64 * KIB)])
    assert str(trend) == "+64 KiB over 100 files; 400 more would tell"


def test_what_cannot_be_told_yet_can_be_if_memory_grows_no_more() -> None:
    points = [(files, 30 * MIB + 500 * min(files, 1000)) for files in range(10, 1001, 10)]
    noisy = [(files, held + Random(files).randrange(200 * KIB)) for files, held in points]
    trend = judge(noisy)
    assert trend.verdict is Verdict.INCONCLUSIVE
    assert "more would tell" in str(trend)
    last = noisy[-1][1]
    more = [(files, last) for files in range(1010, 1001 + 4 * trend.files_to_go, 10)]
    assert judge([*noisy, *more]).verdict is Verdict.FLAT
