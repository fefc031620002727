from itertools import count, pairwise

import pytest

from pdfingest.measure.flatness import Sample
from pdfingest.run.sampler import MOST, Sampler


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Sampler:
    monkeypatch.setattr("pdfingest.run.sampler.look", lambda: Sample(7, 5, 9, 3, 2, 1))
    monkeypatch.setattr("pdfingest.run.sampler.gc.collect", lambda: 0)
    clock = count(step=0.0625)
    monkeypatch.setattr("pdfingest.run.sampler.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("pdfingest.run.sampler._SHARE", 0)
    return Sampler()


def test_the_table_is_bounded_and_evenly_thinned(quick: Sampler) -> None:
    for files in range(50 * MOST):
        quick.tick(files)
    kept = [sample.files for sample in quick.samples]
    assert MOST // 2 <= len(kept) <= MOST
    assert kept[0] == 0
    gaps = [b - a for a, b in pairwise(kept)]
    assert max(gaps) < 1.3 * min(gaps)
    assert kept[-1] > 50 * MOST - 2 * max(gaps)


def test_a_sample_is_what_was_seen(quick: Sampler) -> None:
    quick.sample(3)
    (sample,) = quick.samples
    assert sample.files == 3
    assert (sample.parent_rss_bytes, sample.helpers_rss_bytes, sample.held_bytes) == (7, 5, 12)
    assert (sample.tree_pss_bytes, sample.descriptors, sample.threads, sample.children) == (
        9, 3, 2, 1,
    )  # fmt: skip


def test_samples_are_apart(quick: Sampler) -> None:
    for _ in range(100):
        quick.tick(1)
    times = [sample.at_s for sample in quick.samples]
    assert min(b - a for a, b in pairwise(times)) >= 0.1
