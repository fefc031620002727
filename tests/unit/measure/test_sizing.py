"""How many lanes fit into a machine, and how many descriptors they need."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest import IngestOptions
from pdfingest.errors import ExitCode, ResourceError
from pdfingest.measure.sizing import (
    LEAST_MEMORY_BYTES,
    MAX_WORKERS,
    allow_descriptors,
    default_budget_bytes,
    descriptors_for,
)
from pdfingest.service.settings import read_settings

resource = pytest.importorskip("resource")

MIB = 1 << 20
PLENTY = 1 << 20
Machine = Callable[..., None]


def pretend(
    patch: pytest.MonkeyPatch, cpus: int = 64, memory_mib: int = PLENTY, descriptors: int = PLENTY
) -> None:
    """Have the machine give this much to this process."""
    patch.setattr("pdfingest.measure.sizing.available_cpus", lambda: cpus)
    patch.setattr("pdfingest.measure.sizing.available_memory", lambda: memory_mib * MIB)
    limits = min(descriptors, 1024), descriptors
    patch.setattr("pdfingest.measure.sizing.descriptor_limits", lambda: limits)


@pytest.mark.parametrize(
    ("given_by_machine", "chosen", "workers"),
    [
        ({}, {}, 64),
        ({"cpus": 3}, {}, 3),
        ({"memory_mib": 1024}, {}, 12),
        ({"memory_mib": 150}, {}, 1),
        ({"memory_mib": 20}, {}, 1),
        ({"descriptors": 1024}, {}, 61),
        ({"descriptors": 10}, {}, 1),
        ({"cpus": 10_000}, {}, MAX_WORKERS),
        ({}, {"memory_budget_bytes": "1G"}, 16),
        ({"memory_mib": 4096}, {"memory_limit_bytes": "1G"}, 3),
        ({"memory_mib": 20}, {"memory_budget_bytes": "1G"}, 16),
    ],
    ids=str,
)
def test_lanes_that_nobody_chose_fit_into_cpus_memory_and_descriptors(
    monkeypatch: pytest.MonkeyPatch,
    given_by_machine: dict[str, int],
    chosen: dict[str, str],
    workers: int,
) -> None:
    pretend(monkeypatch, **given_by_machine)
    assert IngestOptions(**chosen).workers == workers  # type: ignore[arg-type]


@given(
    cpus=st.integers(1, 2048),
    memory_mib=st.integers(1, 1 << 21),
    descriptors=st.integers(1, 1 << 20),
)
def test_no_machine_refuses_what_nobody_chose(cpus: int, memory_mib: int, descriptors: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch, cpus, memory_mib, descriptors)
        options, settings = IngestOptions(), read_settings()
        limit_bytes, budget_bytes = options.limits().memory_bytes, default_budget_bytes()
    lanes = options.workers
    assert settings.lanes == lanes
    assert 1 <= lanes <= cpus
    assert LEAST_MEMORY_BYTES <= limit_bytes <= budget_bytes // lanes
    assert lanes == 1 or descriptors_for(lanes) <= descriptors


@pytest.fixture
def soft() -> Iterator[Callable[[], int]]:
    """The soft limit on descriptors of this process: 256, to begin with."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    yield lambda: int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised_as_far_as_the_lanes_need_it(soft: Callable[[], int]) -> None:
    allow_descriptors(2)
    assert soft() == 256, "it was enough"
    allow_descriptors(20)
    assert soft() == descriptors_for(20) == 40 + 20 * 16


@pytest.mark.parametrize(
    ("descriptors", "cure"),
    [
        (200, "Use at most 10 --lanes, or raise the limit: ulimit -n."),
        (50, "Raise the limit: ulimit -n."),
    ],
)
def test_a_hard_limit_that_is_too_low_is_told_with_the_sum(
    monkeypatch: pytest.MonkeyPatch, descriptors: int, cure: str
) -> None:
    pretend(monkeypatch, descriptors=descriptors)
    with pytest.raises(ResourceError) as caught:
        allow_descriptors(100, "--lanes")
    assert str(caught.value) == (
        f"--lanes 100 needs 1,640 descriptors (40, and 16 for each), but this process may have "
        f"{descriptors}. {cure}"
    )
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def test_lanes_that_fit_by_the_sum_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, descriptors=200)
    allow_descriptors(10)
    with pytest.raises(ResourceError):
        allow_descriptors(11)
