"""An engine that misbehaves as the file tells it to; it comes in through the entry point group.

A file for it is one line: `%PDF-` and a JSON object with `pages`, and, where it shall go wrong,
`fault` (a key of `FAULTS`) and `page`, the page on which it does; 0 is the opening.
"""

import ctypes
import json
import os
import re
import signal
import socket
import stat
import struct
import sys
import time
from typing import TYPE_CHECKING, Any

from pdfingest import (
    Aside,
    DocumentInfo,
    EncryptedError,
    MalformedError,
    Page,
    tolerate,
)

if TYPE_CHECKING:
    from pathlib import Path  # half of the import of this module, and in the peak of every file


def write_pdf(path: "Path", pages: int = 1, fault: str = "", page: int = 1, **more: Any) -> None:
    """Make a file for this engine."""
    order = {"pages": pages, "fault": fault, "page": page, "name": os.path.basename(path), **more}
    _write(path, b"%PDF-" + json.dumps(order).encode())


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _raise(error):
    def fault(order):
        raise error

    return fault


def _wait(order):
    """Wait until a file is there, and half a minute at most."""
    until = time.monotonic() + 30
    while not os.path.exists(order["until"]) and time.monotonic() < until:
        time.sleep(0.01)


def _print(order):
    print("noise on stdout")
    os.write(1, b"noise on descriptor 1\n")
    os.write(2, b"noise on descriptor 2\n")
    sys.stdout.flush()


def _allocate(order):
    block = bytearray(order["mib"] << 20)
    block[::4096] = b"x" * len(block[::4096])


_KEPT: list[bytes] = []


def _keep(order):
    """What a library does that caches: it pays where its process stays."""
    _KEPT.append(os.urandom(order["kib"] << 10))


def _hog(order):
    """Take memory without end, as Python does: MemoryError in the end."""
    blocks = []
    while True:
        blocks.append(bytearray(8 << 20))


def _hog_in_c(order):
    """Take memory without end, as C++ does: abort where there is none."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    while True:
        block = libc.malloc(4 << 20)
        if not block:
            os.abort()
        libc.memset(block, 1, 4 << 20)
        time.sleep(0.01)


def _hang_holding_gil(order):
    re.match(r"(a+)+$", "a" * 60 + "b")  # backtracks for years, in C


def _fill_disk(order):
    with open(order["path"] + ".filled", "wb") as file:
        while True:
            file.write(bytes(1 << 20))


def _fork(order):
    if os.fork() == 0:
        time.sleep(3600)


def _fork_and_die(order):
    _fork(order)
    os.kill(os.getpid(), signal.SIGKILL)


def _open_many(order):
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(2000)]
    assert files


def _change_and_raise(order):
    os.utime(order["path"], (1, 1))
    raise MalformedError("half of it is new")


def _linger(order):
    """Announce nothing: what stands for a child that never gets to its job is stopped."""
    os.kill(os.getpid(), signal.SIGSTOP)


def _run_parent():
    return int(os.environ.get("FAULTY_RUN", os.getppid()))  # `spawn` has no zygote between


def _show(order, path):
    order["text"] = _read(path).decode("utf-8", "replace")


def _syscall(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    returned = libc.syscall(number, *arguments)
    if returned < 0:
        raise RuntimeError(os.strerror(ctypes.get_errno()))
    return returned


def _send_datagram(order):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"not yours", ("127.0.0.1", order["port"]))


def _touch(order):
    return ["/bin/sh", "-c", f"echo > '{order['target']}'"]


def _spawn(order):
    import subprocess  # noqa: PLC0415 - 800 KiB in the peak of every file

    subprocess.run(_touch(order), check=True)


def _exec_in_c(order):
    command = [part.encode() for part in _touch(order)]
    array = (ctypes.c_char_p * 4)(*command, None)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.execv(command[0], array)  # comes back only where it failed
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _fork_by_clone3(order):
    arguments = struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    if _syscall(435, arguments, ctypes.c_size_t(len(arguments))) == 0:
        os._exit(0)


def _change_limits(order):
    import resource  # noqa: PLC0415 - absent on Windows

    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))


def _limit_parent(order):
    import resource  # noqa: PLC0415 - as above

    resource.prlimit(_run_parent(), resource.RLIMIT_FSIZE, (0, 0))


def _hide_memory(order):
    os.write(os.memfd_create("hidden"), bytes(1 << 20))


def _use_system(order):
    """What is no fault: a library that is loaded late, and what the C library looks up."""
    import ssl  # noqa: PLC0415 - late, on purpose

    assert ssl.OPENSSL_VERSION
    with open("/dev/urandom", "rb") as source, open("/dev/null", "wb") as target:
        target.write(source.read(8))


def _append(order):
    with open(order["target"], "ab") as file:
        file.write(b"not yours")


def _open_files(kind, access):
    """Descriptors of this process that are of a kind, and open for this."""
    import fcntl  # noqa: PLC0415 - absent on Windows

    for descriptor in range(3, 256):
        try:
            mode, flags = os.fstat(descriptor).st_mode, fcntl.fcntl(descriptor, fcntl.F_GETFL)
        except OSError:
            continue
        if kind(mode) and flags & os.O_ACCMODE == access:
            yield descriptor


def _work_id():
    """The number that the executor gave to the call of this process."""
    frame = sys._getframe()
    while frame and "call_item" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["call_item"].work_id


def _answer(order):
    """Say in the place of the child what came of the job, or of another, and stay or end."""
    content = order["answer"].encode()
    message = struct.pack("=QQ", _work_id() + order.get("other", 0), 0) + content
    for pipe in _open_files(stat.S_ISFIFO, os.O_WRONLY):
        os.write(pipe, struct.pack("!i", len(message)) + message)
    if order.get("stays"):
        time.sleep(3600)
    os._exit(0)


def _steal_calls(order):
    """Take what the next child should get, and have a fork take what comes later."""
    for pipe in _open_files(stat.S_ISFIFO, os.O_RDONLY):
        if os.fork() == 0:
            os.setpgid(0, 0)
            while os.read(pipe, 4096):
                pass
            os._exit(0)


def _write_spool(order):
    for spool in _open_files(stat.S_ISREG, os.O_WRONLY):
        os.write(spool, order["bytes"].encode("latin-1"))


def _ruin_recorder(order):
    """Have the notes say what cannot be, for ever; or leave none."""
    from pdfingest.exchange import recorder as notes  # noqa: PLC0415 - as above

    for recorder in _open_files(stat.S_ISREG, os.O_RDWR):
        if order.get("truncates"):
            os.ftruncate(recorder, 0)
        else:
            ticket = struct.unpack("=Q", os.pread(recorder, 8, 8))[0]
            note = notes._NOTE.pack(ticket, *order["note"])
            os.pwrite(recorder, struct.pack("=Q", 2) + note + note, 0)
    time.sleep(3600)


def _show_variables(order):
    order["text"] = "\n".join(f"{name}={value}" for name, value in os.environ.items())


FAULTS = {
    "sigkill": lambda order: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda order: ctypes.string_at(0),
    "abort": lambda order: os.abort(),
    "exit0": lambda order: os._exit(0),
    "system_exit": lambda order: sys.exit(3),
    "raises": _raise(ValueError("a fault of the engine")),
    "raises_unpicklable": _raise(type("Local", (Exception,), {"lock": lambda: 0})("local")),
    "keyboard_interrupt": _raise(KeyboardInterrupt()),
    "memory_error": _raise(MemoryError()),
    "encrypted": _raise(EncryptedError("no password opens it")),
    "malformed": _raise(MalformedError("broken")),
    "stdout_noise": _print,
    "hang": lambda order: time.sleep(3600),
    "waits": _wait,
    "sleep": lambda order: time.sleep(order["seconds"]),
    "allocate": _allocate,
    "keeps": _keep,
    "hog": _hog,
    "hog_in_c": _hog_in_c,
    "hang_holding_gil": _hang_holding_gil,
    "hang_in_python": lambda order: [None for _ in iter(int, 1)],
    "fill_disk": _fill_disk,
    "forks": _fork,
    "forks_and_dies": _fork_and_die,
    "opens_many": _open_many,
    "closes_descriptors": lambda order: os.closerange(3, 256),
    "stopped": _linger,
    "opens_socket": lambda order: socket.create_connection(("127.0.0.1", order["port"])),
    "sends_datagram": _send_datagram,
    "reads_passwords": lambda order: _show(order, "/etc/passwd"),
    "reads": lambda order: _show(order, order["target"]),
    "reads_parent": lambda order: _show(order, f"/proc/{_run_parent()}/environ"),
    "writes": lambda order: _write(order["target"], b"not yours"),
    "appends": _append,
    "execs": lambda order: os.execv("/bin/sh", _touch(order)),
    "execs_in_c": _exec_in_c,
    "spawns": _spawn,
    "forks_by_clone3": _fork_by_clone3,
    "kills_parent": lambda order: os.kill(_run_parent(), signal.SIGKILL),
    "changes_limits": _change_limits,
    "limits_parent": _limit_parent,
    "hides_memory": _hide_memory,
    "io_uring": lambda order: _syscall(425, 4, bytes(120)),
    "uses_system": _use_system,
    "removes_input": lambda order: os.unlink(order["path"]),
    "empties_input": lambda order: os.truncate(order["path"], 0),
    "empties_input_by_opening": lambda order: os.open(order["path"], os.O_RDONLY | os.O_TRUNC),
    "chmods_input": lambda order: os.chmod(order["path"], 0o777),
    "answers": _answer,
    "steals_calls": _steal_calls,
    "writes_spool": _write_spool,
    "ruins_recorder": _ruin_recorder,
    "shows_variables": _show_variables,
    "changes": lambda order: os.utime(order["path"], (1, 1)),
    "changes_and_raises": _change_and_raise,
}
ORDERS: list[dict[str, Any]] = []
"""What the file says that is open."""
UNPICKLABLE = {"unpicklable_text": lambda: 0, "wrong_type": 7}


class FaultyDocument:
    def __init__(self, order):
        self.order = order
        self.page_count = order["pages"]

    def info(self):
        if self.order["fault"] == "raises_in_info":
            raise ValueError("no metadata")
        self._read_aside(Aside.INFO, self.order["page"])
        return DocumentInfo(title="made up")

    def _read_aside(self, aside, number):
        """What the order says of what is not the text, from its page on."""
        if self.order.get("aside") == aside and number >= self.order["page"]:
            FAULTS[self.order["aside_fault"]](self.order)
        return self.order.get(aside, f"{aside} of {number}")

    def page(self, number):
        label = tolerate(Aside.LABEL, lambda: self._read_aside(Aside.LABEL, number), "")
        links = tolerate(Aside.LINKS, lambda: [self._read_aside(Aside.LINKS, number)], [])
        page = self._page(number)
        return page and page._replace(label=label, links=tuple(links))

    def _page(self, number):
        fault = self.order["fault"]
        text = f"page {number} of {self.order['name']}"
        time.sleep(self.order.get("page_s", 0))
        if number == self.order["page"]:
            if fault in UNPICKLABLE:
                return Page(UNPICKLABLE[fault])
            if fault == "no_page":
                return None
            if fault == "no_spans":  # nothing can be laid out that is no span
                return Page(text, spans=(text,))
            FAULTS.get(fault, lambda order: None)(self.order)
        if number in self.order.get("killers", ()):
            FAULTS[fault](self.order)
        lacks = bool(self.order.get("lacks"))
        return Page(self.order.get("text", text) * self.order.get("times", 1), lacks_text=lacks)

    def picture(self, number, dpi, angle):
        """A picture in the grey of its number, by which `faulty_ocr` knows the page."""
        from pdfingest.ocr.engine import Picture  # noqa: PLC0415 - for few files

        return Picture(bytes([number]) * 600 * 400, 600, 400, dpi)

    def close(self):
        if self.order["fault"] == "raises_in_close":
            raise ValueError("cannot close")


def open_second(path, passwords):
    """A second engine, which has faults of its own on pages of its own."""
    document = open_document(path, passwords)
    order = document.order
    order["killers"] = order.get("second_killers", [])
    order["fault"], order["page"] = order.get("second_fault", ""), -1
    order["text"], order["lacks"] = order.get("second_text", order.get("text", "")), False
    if "second_text" in order:
        order["page"] = order.get("second_page", -1)
    return document


def open_document(path, passwords):
    content = _read(path)
    if not content.startswith(b"%PDF-"):
        raise MalformedError("not for this engine")
    order = json.loads(content[5:])
    order["path"] = path
    ORDERS.append(order)
    if order["page"] == 0:
        FAULTS[order["fault"]](order)
    return FaultyDocument(order)
