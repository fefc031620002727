"""How many lanes fit into the CPUs, the memory and the descriptors of this process.

`workers x memory limit <= budget`, and the same for descriptors. Defaults always fit, with fewer
lanes if need be. What the user chose and does not fit is refused, with the sum in the message.
"""

import sys
from contextlib import suppress

from pdfingest.errors import OptionError, ResourceError
from pdfingest.measure.machine import available_cpus, available_memory, descriptor_limits
from pdfingest.text import mib

if sys.platform != "win32":
    import resource

MAX_WORKERS = 512
"""Most lanes of a run. A larger number is a typing error: each lane has a process and a thread."""
LEAST_MEMORY_BYTES = 64 << 20
"""Lowest memory limit of a child. One that has opened nothing yet maps half of this."""
DESCRIPTORS = 40
"""Of the parent without a lane: streams, ledger, outputs, lock, signals, image. Counted: 20."""
DESCRIPTORS_OF_LANE = 16
"""Of the parent for each lane: pipes of child and executor, the flight recorder, and children that
are still ending. Counted in runs with 1 to 64 lanes, and in workers with 1 to 24: up to 12."""


def default_budget_bytes() -> int:
    """Return the memory budget of all children together, in bytes, where the user chose none."""
    return max(available_memory() * 3 // 4, LEAST_MEMORY_BYTES)


def default_workers(budget_bytes: int, limit_bytes: int) -> int:
    """Return the number of lanes, at least 1, where the user chose none.

    Args:
        budget_bytes: memory of all children together.
        limit_bytes: memory of one child; 0 for its share.
    """
    by_memory = budget_bytes // max(limit_bytes, LEAST_MEMORY_BYTES)
    by_descriptors = (descriptor_limits()[1] - DESCRIPTORS) // DESCRIPTORS_OF_LANE
    return max(min(available_cpus(), by_memory, by_descriptors, MAX_WORKERS), 1)


def check_memory(workers: int, chosen_limit: int, chosen_budget: int) -> None:
    """Refuse children that could together exceed the budget; the message has the arithmetic.

    Args:
        workers: number of lanes.
        chosen_limit: bytes of one child; 0 for its share of the budget.
        chosen_budget: bytes of all children together; 0 for the default.

    Raises:
        OptionError: they do not go together.
    """
    budget = chosen_budget or default_budget_bytes()
    limit = chosen_limit or budget // workers
    has_limit, least = chosen_limit > 0, mib(LEAST_MEMORY_BYTES)
    of_budget = ["memory_budget_bytes"] if chosen_budget else []
    smaller = limit if has_limit else budget
    if smaller < LEAST_MEMORY_BYTES:
        raise OptionError(
            ["memory_limit_bytes"] if has_limit else of_budget,
            f"{mib(smaller)} are too little: a child needs {least} before it reads a file.",
        )
    if limit > budget:
        raise OptionError(
            ["memory_limit_bytes", *of_budget],
            f"{mib(limit)} for a file are more than the {mib(budget)} for all. "
            "Lower the limit, or give a larger budget.",
        )
    if workers * limit > budget:
        raise OptionError(
            ["workers", "memory_limit_bytes"],
            f"{workers} x {mib(limit)} are more than the memory budget of {mib(budget)}. "
            f"Use at most {budget // limit} workers, or a limit of {mib(budget // workers)}.",
        )
    if limit < LEAST_MEMORY_BYTES:
        raise OptionError(
            ["workers", *of_budget],
            f"{mib(budget)} for {workers} workers are {mib(limit)} each, but a child needs "
            f"{least}. Use at most {budget // LEAST_MEMORY_BYTES} workers, or a budget of "
            f"{mib(workers * LEAST_MEMORY_BYTES)}.",
        )


def descriptors_for(workers: int) -> int:
    """Return how many descriptors the parent needs for this number of lanes."""
    return DESCRIPTORS + workers * DESCRIPTORS_OF_LANE


def allow_descriptors(workers: int, option: str = "--workers") -> None:
    """Raise the soft limit on descriptors as far as lanes, chosen by an option, need it.

    Raises:
        ResourceError: the hard limit is too low; the message has the sum.
    """
    needed = descriptors_for(workers)
    soft, hard = descriptor_limits()
    if needed <= soft:
        return
    if needed > hard:
        fitting = (hard - DESCRIPTORS) // DESCRIPTORS_OF_LANE
        cure = f"Use at most {fitting} {option}, or raise" if fitting > 0 else "Raise"
        raise ResourceError(
            f"{option} {workers} needs {needed:,} descriptors ({DESCRIPTORS}, and "
            f"{DESCRIPTORS_OF_LANE} for each), but this process may have {hard:,}. {cure} the "
            "limit: ulimit -n."
        )
    if sys.platform != "win32":
        with suppress(OSError, ValueError):  # what is then missing is reported where it is needed
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
