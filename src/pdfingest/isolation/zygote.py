"""Zygote: the process that holds the image, and forks one child of it for each request.

    parent                        zygote                         child
      ├─ ends of a socket, a pipe ──▶├───────── fork ──────────────▶┐
      │◀────── its pid and its pidfd ┤                              │ waits
      ├───────────────────────── process ──────────────────────────▶│
      ├──────────────────── call, by the executor's queue ─────────▶│
      │◀─────────────────── answer, by a pipe of its own ───────────┤
      │◀───────────────── exit code ─┤◀──────── end ────────────────┘

A child costs little but memory: it must copy each page that it writes to, and even a look at a
Python object is a write. So this process imports what a job needs and nothing else, and starts no
thread. See `warm_up` for more of the same.

Its children end with the parent, not with it. What a child leaves behind, the zygote ends.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn, TypeAlias

from pdfingest.child import limits
from pdfingest.child import main as child
from pdfingest.child.sandbox import confine
from pdfingest.isolation.contents import NO_MODELS, Contents, Made
from pdfingest.isolation.loading import load
from pdfingest.isolation.wire import NUMBER, receive, send

_Hook: TypeAlias = dict[str, Callable[[], None]]
"""Arguments of `os.register_at_fork`."""

_ENDS = 2
"""Descriptors that come with a request: the child's end of its socket, and the pipe that its exit
code is to be written to."""
_NEEDED = (
    *("concurrent.futures.process", "pdfingest.isolation.context", "pdfingest.isolation.parcel"),
    "pdfingest.child.extraction",
)
"""Modules of what an executor runs in its processes, and of a job."""
_COLD_FORKS = 12
"""Forks before the image is warmed up, which costs as much time as it gives back in a dozen."""
_REAP_MS = 10
"""How long the end of a child may go unnoticed. Nobody waits for it where there was an answer, so
it is looked for in passing; a handler of SIGCHLD would be 70 pages of every child."""


def main(control: int, contents: Contents, readable: tuple[str, ...], *, warm_up: bool) -> NoReturn:
    """Make the image, say what came of it, and serve requests until the parent is gone.

    Args:
        control: descriptor of a socket whose other end only the parent has.
        contents: what the image holds beside this module.
        readable: what all children may read in their sandbox.
        warm_up: whether to do what makes forks cheaper; see `warm_up`.
    """
    try:
        child.silence()
    except OSError:  # no descriptor is left; the parent needs more of them, and says so
        os._exit(1)
    hooks, made = make_image(contents, readable)
    if warm_up and contents.loaded:
        # At once: what is warmed up later no longer shares its pages with the children before it,
        # which then seem to have taken as much memory themselves.
        hooks += warm(contents.modules)
        warm_up = False
    limits.be_first_to_go()
    parent = socket.socket(fileno=control)
    with suppress(OSError):  # there is no parent any more, as `serve` will see
        send(parent, json.dumps(made).encode(), ())
    _Zygote(parent, hooks, contents.modules if warm_up else None).serve()
    os._exit(0)


def make_image(contents: Contents, readable: tuple[str, ...] = ()) -> tuple[list[_Hook], Made]:
    """Make this process what children are forked from, as yet without what `warm` does.

    Returns:
        What the modules would do at each fork, for children that fork in their turn; and what came
        of the models.
    """
    child.ignore_stop_signals()  # children inherit it, also those that are only just booting
    gc.disable()  # until all is imported, which is not garbage
    with _kept_hooks() as hooks:
        for module in (*_NEEDED, *contents.modules):
            with suppress(ImportError):  # a child will say so
                import_module(module)
    # Libraries with models may need what they do at a fork.
    made = load(contents.loaded) if contents.loaded else NO_MODELS
    confine.prepare(readable)
    # What is loaded now is never garbage; scanning it would copy every page that the children share
    # (gc.freeze in the library reference). It is not collected before: that takes 8 ms, for the few
    # hundred objects that imports leave, and tuples, once looked at, are not listed to be immortal.
    gc.freeze()
    gc.enable()
    return hooks, made


def warm(modules: Sequence[str]) -> list[_Hook]:
    """Do to an image what makes its forks cheaper, once it pays; see `warm_up`.

    Args:
        modules: names of the modules of the engines, for a rehearsal.

    Returns:
        As those of `make_image`: what else children that fork would do at each fork.
    """
    with _kept_hooks() as hooks:
        from pdfingest.isolation.warm_up import warm_up  # noqa: PLC0415 - only where it pays
    warm_up(modules)
    return hooks


@contextmanager
def _kept_hooks() -> Generator[list[_Hook], None, None]:
    """Keep from running what modules that are imported meanwhile would do at each fork.

    This process has one thread and holds no lock, so there is nothing to repair in its children;
    `threading` and `random` would copy 170 pages for it.

    Yields:
        The hooks, for children that fork in their turn (`os.register_at_fork`).
    """
    hooks: list[_Hook] = []
    name = "register_at_fork"  # not assigned to: the type checkers would see another function
    register: Any = getattr(os, name)

    def keep(**hook: Callable[[], None]) -> None:
        hooks.append(hook)

    setattr(os, name, keep)
    yield hooks
    setattr(os, name, register)
    sys.modules.pop("random", None)  # it would give each child the same numbers


class _Zygote:
    """The loop of the zygote, which forks children and waits for their ends."""

    def __init__(
        self, control: socket.socket, hooks: list[_Hook], to_warm: Sequence[str] | None
    ) -> None:
        self._control = control
        self._hooks = hooks
        self._to_warm = to_warm
        """Modules to warm the image up with; None if it is not, or no more, to be."""
        self._forks = 0
        self._children: dict[int, int] = {}
        """Pid to the pipe that its exit code goes to."""

    def serve(self) -> None:
        """Serve requests until the parent is gone."""
        ready = select.poll()
        ready.register(self._control, select.POLLIN)
        is_asked = True
        while is_asked:
            if ready.poll(_REAP_MS if self._children else None):
                is_asked = self._fork()
                self._forks += is_asked
                if self._forks == _COLD_FORKS and self._to_warm is not None:
                    self._hooks += warm(self._to_warm)
                    self._to_warm = None
            self._reap()

    def _fork(self) -> bool:
        """Meet a request; False if none will come any more."""
        try:
            _, (life, exit_to), _, _ = socket.recv_fds(self._control, 1, _ENDS)
        except (OSError, ValueError):
            return False
        try:
            pid = os.fork()
        except OSError:  # no process is to be had; the parent tries again
            pid = 0
            os.close(exit_to)
        else:
            if pid == 0:
                self._live(life, exit_to)
            self._children[pid] = exit_to
        os.close(life)
        return self._tell(pid)

    def _tell(self, pid: int) -> bool:
        """Tell the parent of a child; False if there is no parent any more.

        The pidfd is opened here, where the number cannot be another's yet.
        """
        pidfds: list[int] = []
        if pid and hasattr(os, "pidfd_open"):
            with suppress(OSError):  # Linux before 5.3, or no descriptor: the number must do
                pidfds.append(os.pidfd_open(pid))
        try:
            socket.send_fds(self._control, [NUMBER.pack(pid)], pidfds)
        except OSError:
            return False
        finally:
            for pidfd in pidfds:
                os.close(pidfd)
        return True

    def _live(self, life: int, exit_to: int) -> NoReturn:
        """Be a child: wait for what to do, do it, and end."""
        code = 1
        try:
            os.close(self._control.detach())
            os.close(exit_to)
            for descriptor in self._children.values():
                os.close(descriptor)
            for hook in self._hooks:
                os.register_at_fork(**hook)
            child.lead_group()
            parent = socket.socket(fileno=life)  # held as long as the child lives
            content, descriptors = receive(parent)
            from pdfingest.isolation.parcel import unpack  # noqa: PLC0415 - as in `make_image`

            target, args = unpack(content, descriptors)
            child.die_with_parent(parent.fileno())
            child.of_others[:] = [each for each in descriptors if each != args[1].pipe.fileno()]
            target(*args)
            code = 0
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Tell the parent of the children that have ended, and end what they left behind.

        All of it before their numbers are given back to the system, which may give them to
        others at once.
        """
        while self._children:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            with suppress(ProcessLookupError):
                os.killpg(ended.si_pid, signal.SIGKILL)
            # A normal end comes with its exit code, a death with the number of its signal.
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            exit_to = self._children.pop(ended.si_pid)
            with suppress(BrokenPipeError):
                os.write(exit_to, NUMBER.pack(code))
            os.close(exit_to)
            os.waitpid(ended.si_pid, 0)
