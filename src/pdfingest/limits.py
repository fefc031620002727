"""Limits that a child puts on itself before it touches the file. Runs in the child.

Linux and macOS; on Windows the parent's time limits are all there is.
"""

import os
import sys
from contextlib import suppress

from pdfingest.model import Limits

_ANSWER_BYTES = 16 << 20
"""Room above the memory limit, for telling the parent that it was reached."""
_DESCRIPTORS = 256
_OOM_FIRST_CHOICE = b"1000"
"""proc(5), /proc/pid/oom_score_adj: the kernel ends this process before any other."""


def apply(limits: Limits) -> None:
    """Set them; what the system does not know or does not allow is left out."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - absent on Windows

    wanted = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (_DESCRIPTORS, _DESCRIPTORS),
        # The spool counts its own bytes; this is for what an engine writes elsewhere.
        resource.RLIMIT_FSIZE: (2 * limits.output_bytes, 2 * limits.output_bytes),
        resource.RLIMIT_AS: (limits.memory_bytes, limits.memory_bytes + _ANSWER_BYTES),
    }
    for name, (soft, hard) in wanted.items():
        with suppress(OSError, ValueError):  # a lower limit is set already
            resource.setrlimit(name, (soft, hard))
    with suppress(OSError):
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(file, _OOM_FIRST_CHOICE)
        os.close(file)


def make_room_for_the_answer() -> None:
    """Lift the memory limit a little, once the work is over."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - as above

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
