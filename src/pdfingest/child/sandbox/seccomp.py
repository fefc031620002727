"""A seccomp filter: system calls that no parser needs are refused (seccomp(2)).

What is refused fails as if permission were missing, so that an engine that tries it raises and
costs its page only. A list of what is refused and not of what is allowed: an engine may be any
Python package, and its C library may use a new call tomorrow. Files are Landlock's business; here
stands what Landlock does not know.

Built by libseccomp, which knows the numbers of every architecture, and called by ctypes: its own
Python binding is not on PyPI, and pyseccomp, which is, has had no release since 2021. The name of
the library is fixed because `ctypes.util.find_library` starts a compiler to find it.
"""

import ctypes
import errno
import os
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from pdfingest.child.sandbox.kernel import prctl

_LIBRARY = "libseccomp.so.2"
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_NOT_EQUAL, _MASKED_EQUAL = 1, 7
"""`enum scmp_compare`."""
_OPTIMIZE, _BINARY_TREE = 8, 2
"""SCMP_FLTATR_CTL_OPTIMIZE: the kernel tries the filter on every call when it is loaded."""
_UNKNOWN = -1
_CLONE_THREAD = 0x10000
_INSTRUCTION_BYTES = 8

_REFUSED = """
    socket socketpair connect bind listen accept accept4

    execve execveat fork vfork setpgid setsid

    ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal
    process_madvise process_mrelease kcmp setrlimit

    io_uring_setup io_uring_enter io_uring_register

    memfd_create memfd_secret shmget semget msgget mq_open

    creat truncate chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes
    utimensat futimesat setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr
    fremovexattr removexattrat file_setattr open_by_handle_at

    unshare setns mount umount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen
    fspick fsmount fsconfig mount_setattr

    keyctl add_key request_key bpf perf_event_open userfaultfd fanotify_init kexec_load
    kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct syslog
    quotactl settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname iopl ioperm
"""
"""The network; programs and leaving the group by which the parent ends what is left; other
processes, and limits; io_uring, which carries out calls that no filter sees; memory that the
address space limit does not count; files, as far as Landlock has no right for it; namespaces; and
the machine. Names that the library or the architecture does not know are skipped."""


class _Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp`: an argument of a call, by its 0-based index."""

    _fields_: ClassVar = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_: ClassVar = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A call that is refused, if its arguments compare so."""

    name: str
    error: int = errno.EPERM
    when: tuple[tuple[int, int, int, int], ...] = ()


_RULES = (
    *map(_Rule, _REFUSED.split()),
    # Threads stay, other processes do not. The C library goes on with clone(2) where there is no
    # clone3(2), whose flags no filter can see.
    _Rule("clone", when=((0, _MASKED_EQUAL, _CLONE_THREAD, 0),)),
    _Rule("clone3", errno.ENOSYS),
    _Rule("prlimit64", when=((2, _NOT_EQUAL, 0, 0),)),
)


def _library() -> ctypes.CDLL:
    """Libseccomp, with the types of what is used of it.

    Raises:
        OSError: it is not installed.
    """
    library = ctypes.CDLL(_LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
    ]  # fmt: skip
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


@cache
def program() -> bytes:
    """The filter as the kernel takes it; built once, in the image that children are forked from.

    Raises:
        OSError: the library is not installed, or cannot build it.
    """
    library = _library()
    context = library.seccomp_init(_ALLOW)
    if not context:
        raise OSError(errno.ENOMEM, f"{_LIBRARY} cannot begin a filter")
    try:
        library.seccomp_attr_set(context, _OPTIMIZE, _BINARY_TREE)  # fails before 2.5: slower
        for rule in _RULES:
            _add(library, context, rule)
        return _exported(library, context)
    finally:
        library.seccomp_release(context)


def _add(library: ctypes.CDLL, context: int, rule: _Rule) -> None:
    """Add one rule, unless this architecture has no such call."""
    number = library.seccomp_syscall_resolve_name(rule.name.encode())
    if number == _UNKNOWN:
        return
    comparisons = (_Comparison * len(rule.when))(*(_Comparison(*one) for one in rule.when))
    failed = library.seccomp_rule_add_array(
        context, _ERRNO | rule.error, number, len(rule.when), ctypes.addressof(comparisons)
    )
    if failed:
        raise OSError(-failed, f"{_LIBRARY} cannot refuse {rule.name}: {os.strerror(-failed)}")


def _exported(library: ctypes.CDLL, context: int) -> bytes:
    """The instructions of a filter."""
    with open(os.memfd_create("filter"), "rb") as file:
        failed = library.seccomp_export_bpf(context, file.fileno())
        if failed:
            raise OSError(-failed, f"{_LIBRARY} cannot export: {os.strerror(-failed)}")
        file.seek(0)
        return file.read()


def load(instructions: bytes) -> None:
    """Put the filter on the calling thread, and all that it starts, for ever.

    Raises:
        OSError: the kernel does not know filters, or something forbids it.
    """
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    filter_ = _Program(len(instructions) // _INSTRUCTION_BYTES, ctypes.addressof(buffer))
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(filter_))


def check() -> None:
    """See whether a filter could be loaded, and load none.

    Raises:
        OSError: the kernel does not know filters, or the library is missing.
    """
    program()
    try:
        prctl(_PR_SET_SECCOMP, _MODE_FILTER, 0)
    except OSError as error:
        if error.errno != errno.EFAULT:  # it looked for the filter: it knows the mode (seccomp(2))
            raise
