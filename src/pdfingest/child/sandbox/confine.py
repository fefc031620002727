"""Confine a child to its job: its file to read, its spool to write, and what Python needs.

    limits ──▶ enter: no privileges ──▶ Landlock: files ──▶ seccomp: all else ──▶ the engine

All of it is what an unprivileged process may do to itself (landlock(7), seccomp(2)), so it needs no
container, no user namespace and no program beside it. Runs in the child, after everything that it
opens for itself and before the first byte of the file is read; the parent only asks `check`.

Not covered: what the child holds open already, such as the pipe of its answer, by which it can lie
but not make the parent run anything (`isolation.wire`); signals to other processes of the same
user, where Landlock is older than Linux 6.12; and with `auto` the emptying of the input, where it
is older than Linux 6.2.
"""

import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress

from pdfingest.errors import SandboxError
from pdfingest.exchange.spool import open_spool, pages_of
from pdfingest.model import Job, Sandbox, Unit

_CURE = "Use --sandbox auto, which leaves out what is missing, or --sandbox off."

_opened: dict[tuple[str, ...], list[tuple[int, int]]] = {}
"""What `prepare` has opened: descriptors, each with the rights to it."""


def check() -> None:
    """See that a child could enter all of it. Runs in the parent.

    Raises:
        SandboxError: something is missing.
    """
    if missing := missing_parts():
        raise SandboxError(f"the sandbox cannot be had here: {'; '.join(missing)}. {_CURE}")


def missing_parts() -> list[str]:
    """Name the parts that a child would look for in vain, each with the reason."""
    if sys.platform != "linux":
        return [f"it is made of parts of Linux, and this is {sys.platform}"]
    from pdfingest.child.sandbox import landlock, seccomp  # noqa: PLC0415 - need Linux

    missing: list[str] = []
    for name, look in (("Landlock", landlock.check), ("seccomp", seccomp.check)):
        try:
            look()
        except OSError as error:
            missing.append(f"no {name} ({error})")
    return missing


def prepare(readable: tuple[str, ...] = ()) -> None:
    """Do once, in the image that children are forked from, what is the same for all of them.

    Args:
        readable: as the jobs will have it.
    """
    if sys.platform == "linux":
        from pdfingest.child.sandbox import landlock, seccomp  # noqa: PLC0415 - need Linux

        for once in (landlock.version, seccomp.program):
            with suppress(OSError):
                once()
        _opened[readable] = _open(readable)


def _open(readable: tuple[str, ...]) -> list[tuple[int, int]]:
    """Open what may be read, for rules of it; never closed, as the children end soon."""
    from pdfingest.child.sandbox import landlock  # noqa: PLC0415 - needs Linux

    found: list[tuple[int, int]] = []
    for path in readable:
        with suppress(OSError):  # less is allowed then
            file = os.open(path, os.O_PATH)
            is_tree = stat.S_ISDIR(os.fstat(file).st_mode)
            found.append((file, landlock.READ_TREE if is_tree else landlock.READ))
    return found


def enter(job: Job) -> None:
    """Confine this process, which has one thread, to its job.

    Raises:
        SandboxError: it is required, and some of it cannot be had.
        SpoolError: the spool, which must be there to be allowed, cannot be made.
    """
    if job.sandbox is Sandbox.OFF:
        return
    if sys.platform != "linux":
        if job.sandbox is Sandbox.REQUIRE:
            check()
        return
    from pdfingest.child.sandbox import kernel, seccomp  # noqa: PLC0415 - need Linux

    steps: tuple[Callable[[], None], ...] = (
        kernel.forgo_privileges,
        lambda: _confine_files(job),
        lambda: seccomp.load(seccomp.program()),
    )
    for step in steps:
        try:
            step()
        except OSError as error:
            if job.sandbox is Sandbox.REQUIRE:
                message = f"a child cannot enter the sandbox: {error}. {_CURE}"
                raise SandboxError(message) from error


def _confine_files(job: Job) -> None:
    """Allow the job's own files and what Python needs to import; refuse all others."""
    from pdfingest.child.sandbox import landlock  # noqa: PLC0415 - needs Linux

    rules = landlock.Ruleset()
    for file, rights in _opened.get(job.readable) or _open(job.readable):
        rules.allow(file, rights)
    spools = (job.spool,) if job.unit is Unit.PAGE else (job.spool, pages_of(job.spool))
    for spool in spools:
        file = open_spool(spool)
        rules.allow(file, landlock.READ_AND_WRITE)
        os.close(file)
    for path, rights in ((os.devnull, landlock.READ_AND_WRITE), (job.source.path, landlock.READ)):
        with suppress(OSError):  # a source that is not there is told when it is opened
            file = os.open(path, os.O_PATH)
            rules.allow(file, rights)
            os.close(file)
    rules.enforce()
    rules.close()
