"""Landlock: which files a process can open from now on, and whom it can reach (landlock(7)).

Owns the numbers of the kernel's interface; `confine` owns what is allowed. What an older kernel
does not know is left out: before version 3 (Linux 6.2) a file that may be read can be emptied, and
before version 6 (Linux 6.12) signals reach other processes.
"""

import ctypes
import errno
import os
from typing import ClassVar

from pdfingest.child.sandbox.kernel import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, the same on every architecture, as all since 424."""
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_ALL_OF_FIRST = (1 << 13) - 1
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_IOCTL_DEVICE = 1 << 15
_TRUNCATE_VERSION = 3
_RIGHTS_SINCE = (
    (1, _ALL_OF_FIRST),
    (2, _REFER),
    (_TRUNCATE_VERSION, _TRUNCATE),
    (5, _IOCTL_DEVICE),
)
"""Rights to files, each with the first version that knows them."""
_FIELDS_SINCE = (1, 4, 6)
"""The first version that knows each field of `struct landlock_ruleset_attr`."""
_FIELD_BYTES = 8
_BIND_AND_CONNECT_TCP = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3

READ_TREE = _READ_FILE | _READ_DIR
"""Rights to a directory and all below it. Mapping a library needs no right to execute."""
READ = _READ_FILE
"""Rights to one file."""
READ_AND_WRITE = _READ_FILE | _WRITE_FILE | _TRUNCATE
"""Rights to one file."""


class _RulesetAttributes(ctypes.Structure):
    """`struct landlock_ruleset_attr`; a kernel takes as much of it as it knows."""

    _fields_: ClassVar = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathBeneath(ctypes.Structure):
    """`struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _layout_ = "ms"  # what packing means, which Python 3.14 wants to be told
    _fields_: ClassVar = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def version() -> int:
    """Return the version of the kernel's interface.

    Raises:
        OSError: the kernel has none, it was not switched on at boot, or something forbids the call.
    """
    return syscall(_CREATE_RULESET, 0, 0, _VERSION_FLAG)


def check() -> None:
    """Check that the interface is new enough to keep files that may be read from being emptied.

    Raises:
        OSError: it is older, or there is none; see `version`.
    """
    known = version()
    if known < _TRUNCATE_VERSION:
        raise OSError(errno.ENOSYS, f"its version is {known}, and files are safe from 3 on")


class Ruleset:
    """What a process will be allowed; all else that this kernel can refuse is refused.

    Creating one raises what `version` raises.
    """

    def __init__(self) -> None:
        known = version()
        self._handled = sum(rights for since, rights in _RIGHTS_SINCE if known >= since)
        attributes = _RulesetAttributes(
            self._handled, _BIND_AND_CONNECT_TCP, _ABSTRACT_SOCKETS_AND_SIGNALS
        )
        size = _FIELD_BYTES * sum(known >= since for since in _FIELDS_SINCE)
        self._file = syscall(_CREATE_RULESET, ctypes.addressof(attributes), size)

    def allow(self, file: int, rights: int) -> None:
        """Allow rights to the file or the directory of a descriptor, for which O_PATH will do."""
        rule = _PathBeneath(rights & self._handled, file)
        syscall(_ADD_RULE, self._file, _PATH_BENEATH, ctypes.addressof(rule))

    def enforce(self) -> None:
        """Confine the calling thread, and all that it starts, until it ends."""
        syscall(_RESTRICT_SELF, self._file)

    def close(self) -> None:
        """Close the ruleset. What is enforced stays so."""
        os.close(self._file)
