"""System calls that the standard library does not wrap. Linux only.

Why ctypes: the calls take numbers and pointers, and an extension module would need a compiler
wherever pdfingest is installed.
"""

import ctypes
import os

_PR_SET_NO_NEW_PRIVS = 38
_libc = ctypes.CDLL(None, use_errno=True)
_prctl = ctypes.CFUNCTYPE(
    ctypes.c_int, *[ctypes.c_int] + [ctypes.c_ulong] * 4, use_errno=True
)(("prctl", _libc))  # fmt: skip
_syscall = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 5, use_errno=True)(("syscall", _libc))


def prctl(option: int, *arguments: int) -> None:
    """Change how the kernel treats this process, or ask about it (prctl(2)).

    Raises:
        OSError: the kernel refuses or does not know the option.
    """
    _checked(_prctl(option, *arguments, *[0] * (4 - len(arguments))))


def syscall(number: int, *arguments: int) -> int:
    """Make a system call with up to four arguments, pointers by their addresses.

    Raises:
        OSError: the kernel refuses or does not know the call.
    """
    return _checked(_syscall(number, *arguments, *[0] * (4 - len(arguments))))


def forgo_privileges() -> None:
    """Give up gaining privileges by set-user-ID programs, as what follows demands (seccomp(2))."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _checked(returned: int) -> int:
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return returned
