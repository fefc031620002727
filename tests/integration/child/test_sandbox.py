"""What an engine may not do, tried by one that does it; and that nothing else changes.

Whether it happened is looked at from outside. Each is tried without the sandbox as well, where it
happens: so these tests can fail.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, Lines, environment, make_pdf, read_lines
from pdfingest.child.sandbox import confine
from pdfingest.errors import SandboxError

EXAMPLES = Path(__file__).parents[3] / "examples" / "pdfs"
SECRET = "the secret of the keeper"
GOOD = ("good0.pdf", "good1.pdf")


def _missing() -> str:
    """Why there is no sandbox here; empty where there is."""
    try:
        confine.check()
    except SandboxError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.skipif(bool(_missing()), reason=_missing()),
    pytest.mark.usefixtures("starts"),
]


@dataclass
class Scene:
    """What an engine is let loose on."""

    folder: Path
    listening: socket.socket
    path: Path | None = None
    done: "subprocess.CompletedProcess[str] | None" = None
    report: dict[str, dict[str, Any]] | None = None
    records: Lines | None = None

    @property
    def target(self) -> Path:
        """A file that is not the engine's; it is there only where the scene put it there."""
        return self.folder / "target"

    def was_reached(self) -> bool:
        """Whether somebody has connected."""
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def text(self) -> str:
        """All that came out of the file."""
        return "".join(r["text"] for r in self.records or [] if r["source"] == "bad.pdf")

    def got_away(self) -> bool:
        """Whether no page was lost: what the engine tried did not fail."""
        return self.report is not None and self.report["bad.pdf"]["status"] == "ok"


Effect = Callable[[Scene], bool]


def _shown(scene: Scene) -> bool:
    return SECRET in scene.text()


def _written(scene: Scene) -> bool:
    return scene.target.exists()


BREAKS: dict[str, Effect] = {
    "opens_socket": Scene.was_reached,
    "sends_datagram": Scene.got_away,
    "reads_passwords": lambda scene: "root:" in scene.text(),
    "reads_parent": _shown,
    "writes": _written,
    "execs": _written,
    "execs_in_c": _written,
    "spawns": _written,
    "forks_by_clone3": Scene.got_away,
    "forks": Scene.got_away,
    "kills_parent": lambda scene: scene.done is not None and scene.done.returncode < 0,
    "changes_limits": Scene.got_away,
    "limits_parent": lambda scene: scene.done is not None and scene.done.returncode > 1,
    "hides_memory": Scene.got_away,
    "io_uring": Scene.got_away,
    "removes_input": lambda scene: scene.path is not None and not scene.path.exists(),
    "empties_input": lambda scene: scene.path is not None and scene.path.stat().st_size == 0,
    "empties_input_by_opening": lambda scene: (
        scene.path is not None and scene.path.stat().st_size == 0
    ),
    "chmods_input": lambda scene: (
        scene.path is not None and scene.path.stat().st_mode & 0o777 == 0o777
    ),
}
"""What an engine does, and how one sees from outside that it did."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield Scene(folder, listening)


@pytest.fixture
def play(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path, scene: Scene
) -> Callable[..., None]:
    """Run a file whose second page of three does what it must not, among good ones."""

    def run(fault: str, *args: str, **order: Any) -> None:
        shutil.rmtree(out, ignore_errors=True)
        for name in GOOD:
            faulty(name, pages=2)
        port = scene.listening.getsockname()[1]
        order = {"target": str(scene.target), "port": port, **order}
        scene.path = faulty("bad.pdf", pages=3, page=2, fault=fault, **order)
        arguments = ("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", *args)
        scene.done = cli(*arguments, env={"TEST_SECRET": SECRET})
        if (out / "report.jsonl").exists():
            scene.report = {line["source"]: line for line in read_lines(out / "report.jsonl")}
            scene.records = read_lines(out / "pages.jsonl")

    return run


def assert_stopped(scene: Scene) -> None:
    """The page is lost, and nothing else."""
    assert scene.done is not None
    assert scene.report is not None
    assert scene.records is not None
    assert scene.done.returncode == 1, scene.done.stderr
    assert "Traceback" not in scene.done.stderr
    bad = scene.report["bad.pdf"]
    assert (bad["status"], bad["failure"], bad["failed_pages"]) == ("partial", "engine_error", [2])
    assert bad["attempts"] == 1
    assert [scene.report[name]["status"] for name in GOOD] == ["ok", "ok"]
    assert sorted((r["source"], r["metadata"]["page"]) for r in scene.records) == [
        ("bad.pdf", 1), ("bad.pdf", 3),
        ("good0.pdf", 1), ("good0.pdf", 2), ("good1.pdf", 1), ("good1.pdf", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("fault", BREAKS)
def test_what_an_engine_may_not_do_is_stopped(
    play: Callable[..., None], scene: Scene, fault: str
) -> None:
    if fault == "kills_parent":
        _skip_before_landlock(6)
    play(fault, "--sandbox", "require")
    assert not BREAKS[fault](scene)
    assert_stopped(scene)


@pytest.mark.parametrize("fault", BREAKS)
def test_without_the_sandbox_it_happens(
    play: Callable[..., None], scene: Scene, fault: str
) -> None:
    play(fault, "--sandbox", "off")
    if fault == "io_uring" and not BREAKS[fault](scene):
        pytest.skip("no io_uring here")
    assert BREAKS[fault](scene)


def _skip_before_landlock(version: int) -> None:
    from pdfingest.child.sandbox import landlock  # noqa: PLC0415 - needs Linux

    if landlock.version() < version:
        pytest.skip(f"the kernel's Landlock is older than version {version}")


@pytest.mark.parametrize("fault", ["reads", "appends"])
@pytest.mark.parametrize("whose", ["folder_of_input", "current", "recorder_of_another", "folder"])
def test_only_its_own_files_are_open_to_a_child(
    play: Callable[..., None], scene: Scene, pdfs: Path, out: Path, fault: str, whose: str
) -> None:
    target = {
        "folder_of_input": pdfs / "notes.txt",
        "current": pdfs.parent / "cwd" / "notes.txt",
        "recorder_of_another": out / ".pdfingest" / "spool" / "lane-1",
        "folder": scene.folder / "notes.txt",
    }[whose]
    if whose != "recorder_of_another":
        target.write_text(SECRET)
    play(fault, "--sandbox", "off", target=str(target))
    assert scene.got_away()
    play(fault, "--sandbox", "require", target=str(target))
    assert_stopped(scene)
    assert scene.report is not None
    assert "PermissionError" in scene.report["bad.pdf"]["message"]
    assert str(target) in scene.report["bad.pdf"]["message"]
    assert SECRET not in scene.text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "unit"),
    [
        ("auto", "page"),
        ("auto", "document"),
        ("pdfium", "page"),
        ("pypdf", "page"),
        ("pdfplumber", "page"),
        ("faulty,pypdf", "document"),
    ],
)
def test_the_records_are_the_same_with_it_and_without(
    cli: Cli, examples: Path, pdfs: Path, out: Path, engine: str, unit: str
) -> None:
    (pdfs / "linked.pdf").symlink_to(make_pdf(out.parent / "elsewhere" / "a.pdf", ["Linked"]))
    found = []
    # `auto` differs from `require` only in what it does where a part is missing.
    for sandbox in ("off", "require", *["auto"] * (engine == "auto")):
        done = cli(
            "run", examples, pdfs, "-o", out / sandbox, "--engine", engine, "--unit", unit,
            "-w", "1", "--password", "correct horse", "--sandbox", sandbox,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        report = read_lines(out / sandbox / "report.jsonl")
        assert len(report) == 11
        outcomes = [(r["source"], r["status"], r["failure"], r["message"]) for r in report]
        found.append(((out / sandbox / f"{unit}s.jsonl").read_bytes(), sorted(outcomes)))
        assert b"Linked" in found[0][0]
    assert all(each == found[0] for each in found)


def test_a_document_that_killed_its_child_is_salvaged_within(
    cli: Cli, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=3, page=2, fault="sigkill")
    args = ("--unit", "document", "--engine", "faulty", "--sandbox", "require")
    done = cli("run", path, "-o", "-", "-q", *args)
    assert '"page 1 of a.pdf\\n\\npage 3 of a.pdf"' in done.stdout


def test_an_engine_of_the_current_directory_is_imported_within(
    cli: Cli, tmp_path: Path, pdfs: Path, out: Path
) -> None:
    cwd = tmp_path / "cwd"
    (cwd / "local_engine.py").write_text("from faulty import open_document\n")
    about = cwd / "local_engine-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: local-engine\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[pdfingest.engines]\nlocal = local_engine:open_document\n"
    )
    (pdfs / "a.pdf").write_text('%PDF-{"pages": 1, "fault": "", "page": 1, "name": "a"}')
    done = cli("run", pdfs, "-o", out, "--engine", "local", "--sandbox", "require")
    assert done.returncode == 0, done.stderr


LACKING = """
import ctypes, os, struct, sys
from pdfingest.child.sandbox import kernel, seccomp
number = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name(sys.argv[1].encode())
load, jump, leave, refuse, allow = 0x20, 0x15, 6, 0x50000 | 38, 0x7fff0000
kernel.forgo_privileges()
seccomp.load(struct.pack(
    "=HBBIHBBIHBBIHBBI", load, 0, 0, 0, jump, 0, 1, number, leave, 0, 0, refuse, leave, 0, 0, allow
))
os.execv(sys.executable, [sys.executable, "-m", "pdfingest", *sys.argv[2:]])
"""
"""The program on a kernel that lacks a system call."""


@pytest.fixture
def on_a_kernel_without(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    def run(call: str, *args: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", LACKING, call, *map(str, args)],
            env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=100,
        )  # fmt: skip

    return run


Without = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("landlock_create_ruleset", "no Landlock (["),
        ("memfd_create", "no seccomp (["),  # libseccomp cannot hand the filter over without it
    ],
)
def test_require_does_not_begin_where_a_part_is_missing(
    on_a_kernel_without: Without, out: Path, call: str, said: str
) -> None:
    done = on_a_kernel_without(call, "run", EXAMPLES, "-o", out, "--sandbox", "require")
    assert done.returncode == 4
    assert said in done.stderr
    assert "--sandbox auto" in done.stderr
    assert not out.exists()
    done = on_a_kernel_without(call, "doctor", "-o", out, "--sandbox", "require")
    assert done.returncode == 4
    assert said in done.stdout
    assert "could not start: Use --sandbox auto" in done.stderr
    assert on_a_kernel_without(call, "doctor", "-o", out).returncode == 0


def test_require_ends_the_run_where_a_child_cannot_enter(
    on_a_kernel_without: Without, out: Path
) -> None:
    args = ("run", EXAMPLES, "-o", out, "--sandbox", "require")
    done = on_a_kernel_without("landlock_restrict_self", *args)
    assert done.returncode == 4
    assert "a child cannot enter the sandbox" in done.stderr
    assert "spool" not in done.stderr
    assert (out / "pages.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("call", "fault", "happens"),
    [
        ("landlock_create_ruleset", "reads_passwords", True),
        ("landlock_create_ruleset", "forks", False),
        ("landlock_create_ruleset", "opens_socket", False),
        ("landlock_create_ruleset", "execs", False),
        ("landlock_create_ruleset", "empties_input", False),
        ("memfd_create", "forks", True),
        ("memfd_create", "reads_passwords", False),
        ("memfd_create", "opens_socket", False),
        ("memfd_create", "execs", False),
        ("memfd_create", "empties_input", False),
    ],
)
def test_auto_does_with_the_parts_that_there_are(
    on_a_kernel_without: Without, faulty: Callable[..., Path], out: Path, scene: Scene,
    call: str, fault: str, happens: bool,
) -> None:  # fmt: skip
    """Where two parts refuse the same, each does so alone."""
    if call == "memfd_create":
        _skip_before_landlock({"opens_socket": 4, "empties_input": 3}.get(fault, 1))
    port = scene.listening.getsockname()[1]
    path = faulty("a.pdf", pages=2, page=2, fault=fault, target=str(scene.target), port=port)
    done = on_a_kernel_without(call, "run", path, "-o", out, "--engine", "faulty")
    assert done.returncode == (0 if happens else 1), done.stderr
    (line,) = read_lines(out / "report.jsonl")
    assert line["failure"] == ("" if happens else "engine_error")


def test_an_engine_may_use_what_the_system_gives_to_all(
    play: Callable[..., None], scene: Scene
) -> None:
    play("uses_system", "--sandbox", "require")
    assert scene.got_away()


def test_auto_is_the_default(play: Callable[..., None], scene: Scene) -> None:
    play("reads_passwords")
    assert_stopped(scene)


def test_the_environment_chooses_too(cli: Cli, faulty: Callable[..., Path], out: Path) -> None:
    path = faulty("a.pdf", fault="reads_passwords")
    args = ("run", path, "--force", "-o", out, "--engine", "faulty")
    assert cli(*args, env={"PDFINGEST_SANDBOX": "off"}).returncode == 0
    assert cli(*args, env={"PDFINGEST_SANDBOX": "require"}).returncode == 1


def test_a_file_without_permission_is_unreadable_as_ever(
    cli: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    path = faulty("a.pdf")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("permissions do not bind this user")
    cli("run", path, "-o", out, "--engine", "faulty", "--sandbox", "require")
    (line,) = read_lines(out / "report.jsonl")
    assert line["failure"] == "unreadable"
