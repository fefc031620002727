"""What an engine may not do, tried by one that does it; and that nothing else changes.

Whether it happened is looked at from outside. Each is tried without the sandbox as well, where it
happens: so these tests can fail.
"""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, Lines, as_nobody_special, environment, make_pdf, read_lines
from pdfingest.child.sandbox import confine
from pdfingest.errors import SandboxError

EXAMPLES = Path(__file__).parents[3] / "examples" / "pdfs"
SECRET = "the secret of the keeper"
NO_TARGETS: Mapping[str, Path] = {}
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
    name: str = "bad.pdf"
    path: Path | None = None
    done: "subprocess.CompletedProcess[str] | None" = None
    report: dict[str, dict[str, Any]] | None = None
    records: Lines | None = None

    @property
    def target(self) -> Path:
        """A file that is not the engine's; it is there only where the scene put it there."""
        return self.folder / f"target of {self.name}"

    def was_reached(self) -> bool:
        """Whether somebody has connected."""
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def text(self) -> str:
        """All that came out of the file."""
        return "".join(r["text"] for r in self.records or [] if r["source"] == self.name)

    def got_away(self) -> bool:
        """Whether no page was lost: what the engine tried did not fail."""
        return self.report is not None and self.report[self.name]["status"] == "ok"


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
def play_all(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path, scene: Scene
) -> Callable[..., list[Scene]]:
    """Run files whose second page of three does what it must not; gives what is seen of each.

    `targets` are other files than their own, by the name of the one that tries to open it.
    """

    def run(
        faults: Mapping[str, str], *args: str, targets: Mapping[str, Path] = NO_TARGETS
    ) -> list[Scene]:
        shutil.rmtree(out, ignore_errors=True)
        scenes = [replace(scene, name=name) for name in faults]
        for each in scenes:
            port = scene.listening.getsockname()[1]
            target = str(targets.get(each.name, each.target))
            order = {"fault": faults[each.name], "target": target, "port": port}
            each.path = faulty(each.name, pages=3, page=2, **order)
        arguments = ("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", *args)
        done = cli(*arguments, env={"TEST_SECRET": SECRET})
        for each in scenes:
            each.done = done
            if (out / "report.jsonl").exists():
                each.report = {line["source"]: line for line in read_lines(out / "report.jsonl")}
                each.records = read_lines(out / "pages.jsonl")
        return scenes

    return run


@pytest.fixture
def play(
    play_all: Callable[..., list[Scene]], faulty: Callable[..., Path], scene: Scene
) -> Callable[..., None]:
    """Run one such file among good ones; what is seen of it is in the scene."""

    def run(fault: str, *args: str, target: Path | None = None) -> None:
        for name in GOOD:
            faulty(name, pages=2)
        targets = {scene.name: target} if target else {}
        (seen,) = play_all({scene.name: fault}, *args, targets=targets)
        for each in fields(Scene):
            setattr(scene, each.name, getattr(seen, each.name))

    return run


def assert_stopped(scene: Scene) -> None:
    """The page is lost, and nothing else."""
    assert scene.done is not None
    assert scene.report is not None
    assert scene.records is not None
    assert scene.done.returncode == 1, scene.done.stderr
    assert "Traceback" not in scene.done.stderr
    bad = scene.report[scene.name]
    lost = (bad["status"], bad["failure"], bad["failed_pages"])
    assert lost == ("partial", "engine_error", [2]), scene.name
    assert bad["attempts"] == 1, scene.name
    assert [scene.report[name]["status"] for name in GOOD] == ["ok", "ok"]
    found = [(r["source"], r["metadata"]["page"]) for r in scene.records]
    assert sorted(place for place in found if place[0] in (scene.name, *GOOD)) == [
        (scene.name, 1), (scene.name, 3),
        ("good0.pdf", 1), ("good0.pdf", 2), ("good1.pdf", 1), ("good1.pdf", 2),
    ], scene.name  # fmt: skip


def test_what_an_engine_may_not_do_is_stopped(
    play_all: Callable[..., list[Scene]], faulty: Callable[..., Path]
) -> None:
    for name in GOOD:
        faulty(name, pages=2)
    faults = {f"bad {fault}.pdf": fault for fault in BREAKS if fault != "kills_parent"}
    for scene in play_all(faults, "--sandbox", "require"):
        assert not BREAKS[faults[scene.name]](scene), scene.name
        assert_stopped(scene)


def test_a_child_cannot_kill_its_run(play: Callable[..., None], scene: Scene) -> None:
    _skip_before_landlock(6)
    play("kills_parent", "--sandbox", "require")
    assert not BREAKS["kills_parent"](scene)
    assert_stopped(scene)


OF_ITS_RUN = ("kills_parent", "limits_parent")
"""What ends the whole run where nobody stops it."""


def test_without_the_sandbox_it_happens(play_all: Callable[..., list[Scene]]) -> None:
    faults = {f"bad {fault}.pdf": fault for fault in BREAKS if fault not in OF_ITS_RUN}
    scenes = play_all(faults, "--sandbox", "off")
    prevented = {faults[scene.name] for scene in scenes if not BREAKS[faults[scene.name]](scene)}
    assert prevented <= {"io_uring"}, "which not every kernel has"


@pytest.mark.parametrize("fault", OF_ITS_RUN)
def test_without_the_sandbox_a_child_ends_its_run(
    play_all: Callable[..., list[Scene]], fault: str
) -> None:
    (scene,) = play_all({"bad.pdf": fault}, "--sandbox", "off")
    assert BREAKS[fault](scene)


def landlock_version() -> int:
    """The version of the kernel's Landlock."""
    from pdfingest.child.sandbox import landlock  # noqa: PLC0415 - needs Linux

    return landlock.version()


def _skip_before_landlock(version: int) -> None:
    if landlock_version() < version:
        pytest.skip(f"needs Landlock {version}")  # an older one does not know the right in question


def assert_kept_from(scene: Scene, target: Path) -> None:
    """What it tried to open was not opened, and the page that tried is lost."""
    assert_stopped(scene)
    assert scene.report is not None
    message = scene.report[scene.name]["message"]
    assert "PermissionError" in message
    assert str(target) in message
    assert SECRET not in scene.text()


def test_only_its_own_files_are_open_to_a_child(
    play_all: Callable[..., list[Scene]], faulty: Callable[..., Path], scene: Scene, pdfs: Path
) -> None:
    for name in GOOD:
        faulty(name, pages=2)
    folders = {"input": pdfs, "current": pdfs.parent / "cwd", "other": scene.folder}
    faults, targets = {}, {}
    for fault in ("reads", "appends"):
        for whose, folder in folders.items():
            name = f"bad {fault} {whose}.pdf"
            faults[name], targets[name] = fault, folder / f"notes of {fault}.txt"
            targets[name].write_text(SECRET)
    for each in play_all(faults, "--sandbox", "off", targets=targets):
        assert each.got_away(), each.name
    for each in play_all(faults, "--sandbox", "require", targets=targets):
        assert_kept_from(each, targets[each.name])


@pytest.mark.parametrize("fault", ["reads", "appends"])
def test_the_recorder_of_another_is_not_open_to_a_child_of_only_its_own_files(
    play: Callable[..., None], scene: Scene, out: Path, fault: str
) -> None:
    target = out / ".pdfingest" / "spool" / "lane-1"  # its own is that of the first lane
    play(fault, "--sandbox", "off", target=target)
    assert scene.got_away()
    play(fault, "--sandbox", "require", target=target)
    assert_kept_from(scene, target)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "unit"),
    [
        ("auto", "page"),  # of which the first is PDFium
        ("auto", "chunk"),
        ("pypdf", "page"),
        ("pdfplumber", "page"),
        ("faulty,pypdf", "document"),
    ],
)
def test_the_records_are_the_same_with_it_and_without(
    cli_here: Cli, examples: Path, pdfs: Path, out: Path, engine: str, unit: str
) -> None:
    (pdfs / "linked.pdf").symlink_to(make_pdf(out.parent / "elsewhere" / "a.pdf", ["Linked"]))
    found = []
    # `auto` differs from `require` only in what it does where a part is missing.
    for sandbox in ("off", "require", *["auto"] * (engine == "auto")):
        done = cli_here(
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
    ("call", "happens"),
    [("landlock_create_ruleset", "reads_passwords"), ("memfd_create", "forks")],
)
def test_auto_does_with_the_parts_that_there_are(
    on_a_kernel_without: Without, faulty: Callable[..., Path], pdfs: Path, out: Path, scene: Scene,
    call: str, happens: str,
) -> None:  # fmt: skip
    """Where two parts refuse the same, each does so alone."""
    tried = {"reads_passwords": 1, "forks": 1, "opens_socket": 4, "execs": 1, "empties_input": 3}
    if call == "memfd_create":  # what is left is Landlock, in the version that the kernel has
        tried = {fault: since for fault, since in tried.items() if since <= landlock_version()}
    port = scene.listening.getsockname()[1]
    for fault in tried:
        target = str(scene.folder / fault)
        faulty(f"{fault}.pdf", pages=2, page=2, fault=fault, target=target, port=port)
    done = on_a_kernel_without(call, "run", pdfs, "-o", out, "--engine", "faulty")
    assert done.returncode == 1, done.stderr
    report = {line["source"]: line["failure"] for line in read_lines(out / "report.jsonl")}
    assert report == {f"{fault}.pdf": "" if fault == happens else "engine_error" for fault in tried}


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
    faulty: Callable[..., Path], out: Path
) -> None:
    path = faulty("a.pdf")
    path.chmod(0)
    run = [*as_nobody_special(), sys.executable, "-m", "pdfingest", "run", str(path)]
    options = ["-o", str(out), "--engine", "faulty", "--sandbox", "require"]
    subprocess.run([*run, *options], env=environment(), check=False)
    (line,) = read_lines(out / "report.jsonl")
    assert line["failure"] == "unreadable"
