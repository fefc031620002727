"""Loads engines of others and their models into the image. Runs in the zygote, before any fork.

Whatever goes wrong is said to the parent, which says it to the user before the first file is read.
"""

import os
import time
from contextlib import suppress
from importlib import import_module
from operator import attrgetter

from pdfingest.isolation.contents import Loaded, Made
from pdfingest.measure.memory import address_bytes, private_bytes, resident_bytes
from pdfingest.text import counted

_DEVICES = ("/dev/nvidia", "/dev/dri", "/dev/kfd", "/dev/accel")
"""What a fork cannot share with the process that it was forked from."""


def load(engines: tuple[Loaded, ...]) -> Made:
    """Load engines and their models, and look at what came of it."""
    began_s = time.monotonic()
    allowed = 1
    for each in engines:
        name, module, warm = each.name, each.module, each.warm
        if error := _called(module, warm, each.warm_with):
            return Made(f"Engine {name!r} cannot be loaded by {warm or module}: {error}.")
        allowed += each.idle_threads
        if error := _unshared(allowed):
            return Made(
                f"Engine {name!r} cannot be forked: {warm or module} {error}. "
                "If children can do without, its package may say how many idle_threads it leaves; "
                "if not, it must not say fork_safe."
            )
    own = os.getpid()
    return Made(
        seconds=time.monotonic() - began_s,
        resident_bytes=resident_bytes(own),
        private_bytes=private_bytes(own),
        address_bytes=address_bytes(own),
    )


def _called(module: str, warm: str, argument: str) -> str:
    """Import a module, and call a function, if there is one; return what went wrong, or nothing."""
    try:
        import_module(module)
        if warm:
            home, _, attribute = warm.partition(":")
            attrgetter(attribute)(import_module(home))(*filter(None, [argument]))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is another's code
        return f"{type(error).__name__}: {error}"
    return ""


def _unshared(allowed: int) -> str:
    """Say what this process holds that a fork of it would not have; nothing if there is none.

    Args:
        allowed: threads that it may have.
    """
    with suppress(OSError):
        if (threads := len(os.listdir("/proc/self/task"))) > allowed:
            return f"leaves {counted(threads - 1, 'thread')}, which a fork does not have"
        for file in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                device = os.readlink(f"/proc/self/fd/{file}")
                if device.startswith(_DEVICES):
                    return f"has taken {device}, which a fork cannot use"
    return ""
