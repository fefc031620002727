"""What docs/service.md shows is pasted into a shell, and works at the first try."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from conftest import ROOT, read_lines, wait_for
from pdfingest.service.embedded import find_program

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl"),
]

PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- service -->\n```sh\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)
API = "http://localhost:8000"
INSTALL = "pip install '.[service]'\n"

Paste = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def _ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The ports of the page, for one test at a time, whichever process it is in."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with open(shared / "ports.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def paste(_ports: None, tmp_path: Path) -> Iterator[Paste]:
    """A shell in a folder with the examples; what it starts is ended after the test."""
    with suppress(httpx.TransportError):
        httpx.get(API)
        pytest.skip("port 8000 is taken")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "redis-server").symlink_to(find_program())
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PDFINGEST_")}
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    before = set(psutil.Process().children(recursive=True))

    def run(block: str) -> subprocess.CompletedProcess[str]:
        with open(tmp_path / "out", "w+b") as out, open(tmp_path / "err", "w+b") as err:
            # Files and no pipes: what runs in the background would keep a pipe open.
            code = subprocess.run(
                ["bash", "-ec", block],
                cwd=tmp_path,
                env={**kept, "PATH": path},
                stdout=out, stderr=err, stdin=subprocess.DEVNULL, timeout=90, check=False,
            ).returncode  # fmt: skip
        texts = [(tmp_path / each).read_text() for each in ("out", "err")]
        return subprocess.CompletedProcess(block, code, *texts)

    yield run
    ours = [each for each in psutil.process_iter() if _is_of(each, tmp_path) and each not in before]
    for each in ours:
        with suppress(psutil.Error):
            each.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(ours, 40)
    for each in alive:
        each.kill()


def _is_of(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error):
        return process.cwd() == str(folder)  # a Redis writes its title over its environment
    return False


def test_one_command_and_a_file(paste: Paste) -> None:
    assert BLOCKS[0].startswith(INSTALL)
    assert BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")) == [BLOCKS[0]]
    done = paste(BLOCKS[0].removeprefix(INSTALL))
    assert done.returncode == 0, done.stderr
    (record,) = map(json.loads, done.stdout.splitlines())
    assert record["source"] == "table.pdf"
    assert "January" in record["text"]


def test_the_parts_one_by_one_and_a_file(paste: Paste) -> None:
    done = paste(BLOCKS[1])
    assert done.returncode == 0, done.stderr
    ticket = json.loads(done.stdout.partition("{")[1] + done.stdout.partition("{")[2])
    link = API + ticket["links"]["self"]
    wait_for(lambda: httpx.get(link).json()["state"] == "done")
    (record,) = map(json.loads, httpx.get(API + ticket["links"]["result"]).text.splitlines())
    assert record["source"] == "table.pdf"


def test_a_run_on_the_workers(paste: Paste, tmp_path: Path) -> None:
    done = paste(BLOCKS[2])
    assert done.returncode == 0, done.stderr
    report = read_lines(tmp_path / "pdfingest-out" / "report.jsonl")
    assert {line["status"] for line in report} == {"ok"}
    assert len(report) == len(list((ROOT / "examples" / "pdfs").glob("*.pdf")))
