"""Sizing: how many lanes fit into what the machine gives, of CPUs, memory and descriptors.

`workers x memory limit <= budget`, and the same for descriptors. What nobody chose always fits:
fewer lanes rather than a refusal. What was chosen and does not fit is refused with the sum.
"""

import sys
from contextlib import suppress

from pdfingest.errors import ResourceError
from pdfingest.measure.machine import available_cpus, available_memory, descriptor_limits

MAX_WORKERS = 512
"""More lanes than this is a typing error: each holds a process, two pipes and a thread."""
LEAST_MEMORY_BYTES = 64 << 20
"""A child that has opened nothing yet maps half of this."""
DESCRIPTORS = 40
"""Of the parent without a lane: streams, ledger, outputs, lock, signals, image. Counted: 20."""
DESCRIPTORS_OF_LANE = 16
"""The pipes of the child and of the executor, the flight recorder, and children on their way out.
Counted in runs with 1 to 64 lanes, and in workers of the service with 1 to 24: up to 12."""


def default_budget_bytes() -> int:
    """Memory of all children together, for which nobody chose a budget."""
    return max(available_memory() * 3 // 4, LEAST_MEMORY_BYTES)


def default_workers(budget_bytes: int, limit_bytes: int) -> int:
    """Count the lanes of a run for which nobody chose a number.

    Args:
        budget_bytes: of all children together.
        limit_bytes: what one child may take; 0 for its share of the budget.
    """
    by_memory = budget_bytes // max(limit_bytes, LEAST_MEMORY_BYTES)
    by_descriptors = (descriptor_limits()[1] - DESCRIPTORS) // DESCRIPTORS_OF_LANE
    return max(min(available_cpus(), by_memory, by_descriptors, MAX_WORKERS), 1)


def descriptors_for(workers: int) -> int:
    """Count the descriptors that a run needs."""
    return DESCRIPTORS + workers * DESCRIPTORS_OF_LANE


def allow_descriptors(workers: int, option: str = "--workers") -> None:
    """Raise the soft limit on descriptors as far as a run, or a worker of the service, needs it.

    Args:
        workers: number of lanes.
        option: by which the user chooses that number.

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
        import resource  # noqa: PLC0415 - absent on Windows

        with suppress(OSError, ValueError):  # what then fails is told where it fails
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
