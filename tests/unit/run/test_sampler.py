"""What the sampler keeps of a run, seen through its own clock."""

from collections.abc import Callable
from itertools import count, pairwise

import pytest

from pdfingest.measure.flatness import Sample
from pdfingest.run.sampler import MOST, Sampler

TICK_S = 0.0625
SEEN = Sample(7, 5, 9, 3, 2, 1)


def clock() -> Callable[[], float]:
    """A clock that goes on by one tick each time it is read."""
    ticks = count(step=TICK_S)
    return lambda: next(ticks)


def sampler(cost_s: float = 0.0) -> Sampler:
    """A sampler that always sees the same, with samples that cost this much CPU time."""
    cpu = count(step=cost_s)
    return Sampler(lambda: SEEN, clock(), lambda: next(cpu))


def test_the_table_is_bounded_and_evenly_thinned() -> None:
    seen = sampler()
    for files in range(50 * MOST):
        seen.tick(files)
    kept = [sample.files for sample in seen.samples]
    assert MOST // 2 <= len(kept) <= MOST
    assert kept[0] == 0
    gaps = [b - a for a, b in pairwise(kept)]
    assert max(gaps) < 1.3 * min(gaps)
    assert kept[-1] > 50 * MOST - 2 * max(gaps)


def test_a_sample_is_what_was_seen() -> None:
    seen = sampler()
    seen.sample(3)
    (sample,) = seen.samples
    assert sample.files == 3
    assert (sample.parent_rss_bytes, sample.helpers_rss_bytes, sample.held_bytes) == (7, 5, 12)
    assert (sample.tree_pss_bytes, sample.descriptors, sample.threads, sample.children) == (
        9, 3, 2, 1,
    )  # fmt: skip


@pytest.mark.parametrize(("cost_s", "apart_s"), [(0.0, 0.1), (0.001, 0.1), (0.01, 0.5)])
def test_a_sample_is_followed_by_a_pause_of_50_times_its_cost(
    cost_s: float, apart_s: float
) -> None:
    seen = sampler(cost_s)
    for _ in range(200):
        seen.tick(1)
    times = [sample.at_s for sample in seen.samples]
    assert apart_s <= min(b - a for a, b in pairwise(times)) < apart_s + 3 * TICK_S


def test_without_arguments_it_looks_at_this_process() -> None:
    seen = Sampler()
    seen.tick(0)
    (sample,) = seen.samples
    assert sample.parent_rss_bytes > 1 << 20
    assert sample.threads >= 1
