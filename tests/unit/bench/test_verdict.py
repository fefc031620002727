"""What a bench says of its legs, and when it passes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest

from pdfingest.bench.legs import Leg
from pdfingest.bench.verdict import Bench
from pdfingest.measure.flatness import Verdict
from pdfingest.report.costs import Costs
from pdfingest.report.figures import Figures


def leg(name: str, bytes_per_file: float = 0.0, noise_bytes: int = 0) -> Leg:
    """A leg of 2,000 files whose memory grows like that."""
    random = Random(1)
    points = [
        (files, int((40 << 20) + bytes_per_file * files + random.uniform(0, noise_bytes)))
        for files in range(10, 2001, 10)
    ]
    return Leg(name, 2000, 0, 0, 2, 8.0, points)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """A bench of such legs."""
    with Figures(Costs()) as figures:
        yield lambda isolated, leaking, control: Bench(
            engine="auto",
            control_engine="pypdf",
            leak_bytes=1024,
            load=1.5,
            isolated=isolated,
            leaking=leaking,
            control=control,
            loop=Leg("loop", 500, 0, 0, 1, 1.0, []),
            figures=figures,
        )


FLAT, LEAKS, GROWS = leg("isolated"), leg("leaking", 1024), leg("control", 20_000)
NOISY = leg("isolated", 400, 4 << 20)
FOUND = {
    "all is well": (FLAT, LEAKS, GROWS, "PASSED", "found; a server that reads with pypdf grew"),
    "no server": (FLAT, LEAKS, None, "PASSED", "a leak of 1 KiB a file was found"),
    "a sound server": (FLAT, LEAKS, leg("control"), "PASSED", "did not grow on these files"),
    "it grows": (leg("", 700), LEAKS, GROWS, "FAILED", "memory grows with the files"),
    "it is noisy": (NOISY, LEAKS, GROWS, "FAILED", "cannot be told whether memory grows"),
    "nothing read": (replace(FLAT, failed=2000), LEAKS, GROWS, "FAILED", "no file could be read"),
    "a server that died": (
        FLAT,
        LEAKS,
        replace(leg("control"), deaths=3),
        "PASSED",
        "had to be ended 3 times",
    ),
    "a blind test": (FLAT, leg("leaking"), GROWS, "FAILED", "of 1 KiB a file was not seen"),
}


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
def test_it_passes_only_if_memory_is_flat_and_the_leak_is_found(
    bench: Callable[..., Bench], found: tuple[Leg, Leg, Leg | None, str, str]
) -> None:
    *legs, verdict, said = found
    seen = bench(*legs)
    assert seen.has_passed == (verdict == "PASSED")
    assert seen.conclusion().startswith(f"{verdict}: ")
    assert said in seen.conclusion()
    document = json.loads(json.dumps(seen.to_json()))
    assert (document["passed"], document["conclusion"]) == (seen.has_passed, seen.conclusion())


def test_a_log_has_the_verdict_slope_interval_and_files_of_each_leg(
    bench: Callable[..., Bench],
) -> None:
    lines = dict(bench(FLAT, LEAKS, GROWS).lines())
    assert lines["isolated"].startswith("FLAT: +0 bytes a file over 1,490 files (99% interval +0")
    assert lines["leaking"].startswith("GROWS: +1,024 bytes a file over 1,490 files (99% ")
    assert lines["control"].endswith("; a server: pypdf in 40 threads of one process")
    assert lines["price"].startswith("8.0 ms of a worker for a file, 4.0 times the 2.0 ms")


def test_a_server_that_died_says_so(bench: Callable[..., Bench]) -> None:
    died = replace(GROWS, failed=40, deaths=2)
    said = dict(bench(FLAT, LEAKS, died).lines())["control"]
    assert said.endswith(", 40 files not read, ended 2 times")


def test_a_process_that_was_started_again_is_judged_by_its_longest_life() -> None:
    points = [(files, files % 200 * 4096) for files in range(0, 2001, 10)]
    longest = [(files, files * 4096) for files in range(0, 901, 10)]
    ended = Leg("control", 2000, 0, 4, 1, 1.0, points)
    assert ended.trend.verdict is not Verdict.GROWS
    assert replace(ended, longest=longest).trend.verdict is Verdict.GROWS
