"""What all tests share: PDFs that they make, runs of the program, and the folder of real PDFs."""

import compileall
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty as faulty_engine
import pytest
from fpdf import FPDF
from hypothesis import settings

from pdfingest.cli.main import main
from pdfingest.isolation.start import FORK, SWITCHES, WARM_UP
from processes import no_process

ROOT = Path(__file__).parent.parent
FAULTS = ROOT / "tests" / "faults"
UNIT = ROOT / "tests" / "unit"
CORPUS = Path(os.environ.get("PDFINGEST_TEST_CORPUS", ROOT.parent / "shared" / "corpus"))

compileall.compile_dir(FAULTS, quiet=2)  # as pip does; a child compiles in the memory of its file

settings.register_profile("default", deadline=None)
settings.load_profile("default")

Lines = list[dict[str, Any]]


def make_pdf(path: Path, pages: Sequence[str] = ("Hello",), **metadata: str) -> Path:
    """A real PDF with a text on each page."""
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    if "title" in metadata:
        pdf.set_title(metadata["title"])
    for text in pages:
        pdf.add_page()
        pdf.multi_cell(0, text=text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        pdf.output(file)
    return path


def read_lines(path: Path) -> Lines:
    """A JSONL file, strictly: UTF-8, one object a line, the last line ended."""
    content = path.read_bytes()
    assert not content or content.endswith(b"\n")
    return [json.loads(line.decode("utf-8")) for line in content.splitlines()]


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def shape(value: Any) -> Any:
    """The keys and types of a decoded line."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return type(value).__name__


@pytest.fixture(autouse=True)
def _process_only_in_integration(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test starts no process."""
    path = request.path
    if path.is_relative_to(UNIT):
        with no_process():
            yield
    else:
        yield


FORKS, SPAWN = "forks", "spawn"


@pytest.fixture(params=[FORKS, pytest.param(SPAWN, marks=pytest.mark.spawn)])
def starts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to start children, in this process and in the runs that it starts.

    A module whose guarantees must hold for both uses it for all its tests.
    """
    if request.param == FORKS and os.name != "posix":
        pytest.skip("needs fork")  # which Windows does not have; there, all runs spawn
    monkeypatch.setenv(FORK, "0" if request.param == SPAWN else "1")
    monkeypatch.delenv(WARM_UP, raising=False)
    return str(request.param)


Cli = Callable[..., subprocess.CompletedProcess[str]]


def environment(**more: str) -> dict[str, str]:
    """The environment of a run: fault engines installed, nothing configured."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PDFINGEST_") or name in SWITCHES
    }
    if "COVERAGE_PROCESS_START" in os.environ:  # a child writes what it covered
        clean["PDFINGEST_SANDBOX"] = "off"
    # Where a shell or an image sets PYTHONUNBUFFERED, what is lost in a buffer would not be seen.
    path = os.pathsep.join(filter(None, [str(FAULTS), os.environ.get("PYTHONPATH")]))
    usual = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "", "COLUMNS": "100"}
    return {**clean, **usual, **more}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run the program as a user does, in an empty directory; gives the finished process."""
    cwd = tmp_path / "cwd"
    cwd.mkdir(exist_ok=True)

    def run(*args: str | Path, env: dict[str, str] | None = None, **options: Any) -> Any:
        chosen: dict[str, Any] = {
            "cwd": cwd,
            "capture_output": True,
            "text": True,
            "timeout": 100,
        } | options
        return subprocess.run(
            [sys.executable, "-m", "pdfingest", *map(str, args)],
            env=environment(**(env or {})),
            check=False,
            **chosen,
        )

    return run


def as_nobody_special() -> list[str]:
    """A prefix that takes away root's right to read everything."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("needs setpriv, as root reads everything")  # so the test would show nothing
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search"]


def in_a_place_where(setup: str) -> list[str]:
    """How to run a program with other file systems in some places than this machine has."""
    unshare = shutil.which("unshare")
    command = [str(unshare), "--mount", "sh", "-c", f'{setup} && exec "$@"', "sh"]
    if unshare is None or subprocess.run([*command, "true"], check=False).returncode != 0:
        pytest.skip("needs the right to mount")  # which containers rarely have, to make a full disk
    return command


@dataclass(frozen=True)
class Said:
    code: int
    stdout: str
    stderr: str


Say = Callable[..., Said]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    """Run the program in this process, in a directory of its own; it starts no other."""
    (tmp_path / "here" / "folder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    for name in [name for name in os.environ if name.startswith("PDFINGEST_")]:
        monkeypatch.delenv(name)

    def said(*words: str, env: Mapping[str, str] | None = None, toml: str | None = None) -> Said:
        monkeypatch.setattr(sys, "argv", ["pdfingest", *words])
        if toml is not None:
            Path("pdfingest.toml").write_text(toml)
        with monkeypatch.context() as context:
            for name, value in (env or {}).items():
                context.setenv(name, value)
            code = main()
        return Said(code, *capsys.readouterr())

    return said


@pytest.fixture
def cli_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Cli:
    """Run the program as `cli` does, but in this process, which takes a tenth of the time.

    It is for tests of what is written and said. Children are those of a run as ever, but they are
    forks of one image that lives as long as this process does. Tests of that, and of signals,
    streams, imports or what the parent takes, start a program of their own.
    """
    cwd = tmp_path / "cwd"
    cwd.mkdir(exist_ok=True)

    def run(*args: str | Path, env: dict[str, str] | None = None) -> Any:
        capsys.readouterr()
        with monkeypatch.context() as context:
            context.chdir(cwd)
            context.setattr(sys, "argv", ["pdfingest", *map(str, args)])
            for name in os.environ.keys() - environment().keys():
                context.delenv(name)
            for name, value in {"COLUMNS": "100", **(env or {})}.items():
                context.setenv(name, value)
            code = main()
        return subprocess.CompletedProcess(args, code, *capsys.readouterr())

    return run


@pytest.fixture
def pdfs(tmp_path: Path) -> Path:
    """An empty directory for inputs."""
    folder = tmp_path / "pdfs"
    folder.mkdir()
    return folder


def copy_examples(folder: Path) -> Path:
    """Copy all PDFs of `examples` into one directory; three of the ten cannot be read."""
    for name in ("pdfs", "broken"):
        shutil.copytree(ROOT / "examples" / name, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all PDFs of `examples`, to read only."""
    return copy_examples(tmp_path_factory.mktemp("examples"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the outputs go."""
    return tmp_path / "out"


@pytest.fixture
def faulty(pdfs: Path) -> Callable[..., Path]:
    """Make a file for the engine `faulty`."""

    def make(name: str, **order: Any) -> Path:
        faulty_engine.write_pdf(pdfs / name, **order)
        return pdfs / name

    return make
