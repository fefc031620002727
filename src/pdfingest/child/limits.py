"""The limits that a child puts on itself before it touches the file. Runs in the child.

They work on Linux and macOS. On Windows a child has only the time limits, which its parent keeps.
"""

import mmap
import sys
from contextlib import suppress

from pdfingest.job import Limits

if sys.platform != "win32":
    import resource

_ANSWER_BYTES = 16 << 20
"""Room above the memory limit, for telling the parent that the limit was reached."""
_DESCRIPTORS = 256
_OOM_FIRST_CHOICE = b"1000"
"""Value of /proc/PID/oom_score_adj (proc(5)) with which the kernel ends a process before others."""


def apply(limits: Limits) -> mmap.mmap:
    """Set the limits of this process, except those that the system does not know or allow.

    Returns:
        Room for the answer, to be closed once the work is over. Nothing touches this mapping, so it
        costs no memory. Why not a soft limit, to be raised at the end: an engine could raise it as
        well, and the sandbox forbids both.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, mmap.PAGESIZE)
    room = mmap.mmap(
        -1, _ANSWER_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ
    )
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        # The spool counts its own bytes. This is for what an engine writes elsewhere.
        resource.RLIMIT_FSIZE: 2 * limits.output_bytes,
        resource.RLIMIT_AS: limits.memory_bytes + limits.address_bytes + _ANSWER_BYTES,
    }
    for name, value in wanted.items():
        with suppress(OSError, ValueError):  # there is a lower limit
            resource.setrlimit(name, (value, value))
    return room


def be_first_to_go() -> None:
    """Have the kernel end this process, and those forked from it, before others if memory is short.

    Of several such processes it ends the largest. The zygote calls this once for all children:
    opening a file of /proc takes as long as setting all limits.
    """
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
        file.write(_OOM_FIRST_CHOICE)
