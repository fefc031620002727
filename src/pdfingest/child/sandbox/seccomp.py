"""A seccomp filter that refuses the system calls that no parser needs (seccomp(2)).

A refused call fails as if a permission were missing, so an engine that tries it raises, and that
costs its page only. The list names what is refused and not what is allowed: an engine may be any
Python package, and its C library may use a new call tomorrow. Files are left to `landlock`, as far
as that has rights for them.

libseccomp builds the filter, as it knows the numbers of every architecture. It is called by ctypes:
its own Python binding is not on PyPI, and pyseccomp, which is, has had no release since 2021. The
name of the library is fixed, because `ctypes.util.find_library` starts a compiler to find it.
"""

import ctypes
import errno
import os
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
"""SCMP_FLTATR_CTL_OPTIMIZE, as a binary tree: when a filter is loaded, the kernel tries it on every
system call that there is."""
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
"""The calls that are refused, a group a paragraph: the network; programs, and leaving the process
group by which the parent ends what is left; other processes, and limits; io_uring, which carries
out calls that no filter sees; memory that the limit on the address space does not count; files, as
far as Landlock has no right for it; namespaces; and the machine. Names that the library or the
architecture does not know are skipped."""


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


def _library() -> ctypes.CDLL:
    """Load libseccomp, with the types of the functions used; an OSError if it is not installed."""
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
    """Return the filter as the kernel takes it, built once, in the image of the children.

    Raises:
        OSError: the library is not installed or cannot build the filter.
    """
    library = _library()
    context = library.seccomp_init(_ALLOW)
    if not context:
        raise OSError(errno.ENOMEM, f"{_LIBRARY} cannot begin a filter")
    try:
        library.seccomp_attr_set(context, _OPTIMIZE, _BINARY_TREE)  # fails before 2.5: slower
        for name in _REFUSED.split():
            _refuse(library, context, name)
        # Threads stay, other processes do not. The C library goes on with clone(2) where there is
        # no clone3(2), whose flags no filter can see.
        _refuse(library, context, "clone", _Comparison(0, _MASKED_EQUAL, _CLONE_THREAD, 0))
        _refuse(library, context, "clone3", error=errno.ENOSYS)
        _refuse(library, context, "prlimit64", _Comparison(2, _NOT_EQUAL, 0, 0))
        return _exported(library, context)
    finally:
        library.seccomp_release(context)


def _refuse(
    library: ctypes.CDLL, context: int, name: str, *when: _Comparison, error: int = errno.EPERM
) -> None:
    """Refuse a system call, if this architecture has it and its arguments compare so."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == _UNKNOWN:
        return
    comparisons = (_Comparison * len(when))(*when)
    failed = library.seccomp_rule_add_array(
        context, _ERRNO | error, number, len(when), ctypes.addressof(comparisons)
    )
    if failed:
        raise OSError(-failed, f"{_LIBRARY} cannot refuse {name}: {os.strerror(-failed)}")


def _exported(library: ctypes.CDLL, context: int) -> bytes:
    with open(os.memfd_create("filter"), "rb") as file:
        failed = library.seccomp_export_bpf(context, file.fileno())
        if failed:
            raise OSError(-failed, f"{_LIBRARY} cannot export: {os.strerror(-failed)}")
        file.seek(0)
        return file.read()


def load(instructions: bytes) -> None:
    """Put a filter, as `program` returns it, on the calling thread and all that it starts.

    Raises:
        OSError: the kernel does not know filters, or something forbids them.
    """
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    filter_ = _Program(len(instructions) // _INSTRUCTION_BYTES, ctypes.addressof(buffer))
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(filter_))


def check() -> None:
    """Check that a filter could be loaded, without loading one.

    Raises:
        OSError: the kernel does not know filters, or the library is missing.
    """
    program()
    try:
        prctl(_PR_SET_SECCOMP, _MODE_FILTER, 0)
    except OSError as error:
        # The null pointer is EFAULT to a kernel that knows the mode and looks for the filter there.
        if error.errno != errno.EFAULT:
            raise
