"""Limits that a child puts on itself before it touches the file. Runs in the child.

Linux and macOS; on Windows the parent's time limits are all there is.
"""

import mmap
import os
import sys
from contextlib import suppress

from pdfingest.model import Limits

if sys.platform != "win32":
    import resource

_ANSWER_BYTES = 16 << 20
"""Room above the memory limit, for telling the parent that it was reached."""
_DESCRIPTORS = 256
_OOM_FIRST_CHOICE = b"1000"
"""proc(5), /proc/pid/oom_score_adj: the kernel ends this process before any other."""


def apply(limits: Limits) -> mmap.mmap:
    """Set them; what the system does not know or does not allow is left out.

    The room is a mapping that nobody touches, so it costs no memory. Why not a soft limit that is
    raised at the end: an engine could raise it as well, and the sandbox forbids it to both.

    Returns:
        Room for the answer; close it once the work is over.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, mmap.PAGESIZE)
    room = mmap.mmap(
        -1, _ANSWER_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ
    )
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        # The spool counts its own bytes; this is for what an engine writes elsewhere.
        resource.RLIMIT_FSIZE: 2 * limits.output_bytes,
        resource.RLIMIT_AS: limits.memory_bytes + _ANSWER_BYTES,
    }
    for name, value in wanted.items():
        with suppress(OSError, ValueError):  # a lower limit is set already
            resource.setrlimit(name, (value, value))
    return room


def be_first_to_go() -> None:
    """Have the kernel end this process, and those forked from it, before any other.

    Of several it takes the largest. Once for all children, in the zygote: to open a file of /proc
    takes as long as all limits together.
    """
    with suppress(OSError):
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(file, _OOM_FIRST_CHOICE)
        os.close(file)
