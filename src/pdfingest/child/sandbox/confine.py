"""Confine a child to its job: its file to read, its spool to write, and what Python needs.

    limits ──▶ enter: no privileges ──▶ Landlock: files ──▶ seccomp: all else ──▶ the engine

All of this is what an unprivileged process may do to itself (landlock(7), seccomp(2)), so it needs
no container, no user namespace and no other program. A child enters after it has opened everything
that it needs for itself, and before it reads the first byte of the file. Only Linux has the parts.

Not covered: what the child holds open already, such as the pipe of its answer, through which it can
lie but not make the parent run anything (`isolation.wire`); before Linux 6.12, signals to other
processes of the same user; and before Linux 6.2, with `auto`, emptying the input.
"""

import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress

from pdfingest.errors import SandboxError
from pdfingest.exchange.spool import open_spool, pages_of, unpacked_of
from pdfingest.job import Job, Sandbox
from pdfingest.model import Unit

if sys.platform == "linux":
    from pdfingest.child.sandbox import kernel, landlock, seccomp

_CURE = "Use --sandbox auto, which leaves out what is missing, or --sandbox off."

_opened: dict[tuple[str, ...], list[tuple[int, int]]] = {}
"""Descriptors that `prepare` has opened, each with the rights to it, by what may be read."""


def check() -> None:
    """Check that this system has all parts of the sandbox. Runs in the parent.

    Raises:
        SandboxError: a part is missing.
    """
    if missing := missing_parts():
        raise SandboxError(f"the sandbox cannot be had here: {'; '.join(missing)}. {_CURE}")


def missing_parts() -> list[str]:
    """Return the parts of the sandbox that this system lacks, each with the reason."""
    if sys.platform != "linux":
        return [f"it is made of parts of Linux, and this is {sys.platform}"]
    missing: list[str] = []
    for name, look in (("Landlock", landlock.check), ("seccomp", seccomp.check)):
        try:
            look()
        except OSError as error:
            missing.append(f"no {name} ({error})")
    return missing


def prepare(readable: tuple[str, ...] = ()) -> None:
    """Do what is the same for all children, and all their jobs may read, once in their image."""
    if sys.platform == "linux":
        for once in (landlock.version, seccomp.program):
            with suppress(OSError):
                once()
        _opened[readable] = _open(readable)


def _open(readable: tuple[str, ...]) -> list[tuple[int, int]]:
    """Open what may be read, to make rules for it. Nothing closes it, as children end soon."""
    found: list[tuple[int, int]] = []
    for path in readable:
        with suppress(OSError):  # less is allowed then
            file = os.open(path, os.O_PATH)
            is_tree = stat.S_ISDIR(os.fstat(file).st_mode)
            found.append((file, landlock.READ_TREE if is_tree else landlock.READ))
    return found


def enter(job: Job) -> None:
    """Confine this process, which must have one thread, to its job. Runs in the child.

    Raises:
        SandboxError: the sandbox is required, and the kernel refuses a part of it.
        SpoolError: the spool cannot be created, which must exist to be allowed.
    """
    if job.sandbox is Sandbox.OFF:
        return
    if sys.platform != "linux":
        if job.sandbox is Sandbox.REQUIRE:
            check()
        return
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
    """Allow the files of the job and what Python needs for imports, and refuse all others."""
    rules = landlock.Ruleset()
    for file, rights in _opened.get(job.readable) or _open(job.readable):
        rules.allow(file, rights)
    spools = [job.spool]
    if job.unit is not Unit.PAGE:
        spools.append(pages_of(job.spool))
    if job.source.inside:
        spools.append(unpacked_of(job.spool))
    for spool in spools:
        file = open_spool(spool)
        rules.allow(file, landlock.READ_AND_WRITE)
        os.close(file)
    for path, rights in ((os.devnull, landlock.READ_AND_WRITE), (job.source.path, landlock.READ)):
        with suppress(OSError):  # a source that is gone is reported when it is opened
            file = os.open(path, os.O_PATH)
            rules.allow(file, rights)
            os.close(file)
    rules.enforce()
    rules.close()
