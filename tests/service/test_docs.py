"""The service of docs/service.md is started as it stands there, and takes its upload."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from conftest import ROOT, wait_for

from .conftest import stop

pytestmark = pytest.mark.service

PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
BLOCK = re.findall(r"<!-- service -->\n```sh\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
API = "http://localhost:8000"


@pytest.fixture
def started(service_environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """What the page starts; Redis is that of the tests."""
    words = [line.removesuffix(" &").split() for line in BLOCK if line.startswith("pdfingest")]
    assert [each[1] for each in words] == ["serve", "worker"]
    with suppress(httpx.TransportError):
        httpx.get(API)
        pytest.skip("port 8000 is taken")
    processes = [
        subprocess.Popen([sys.executable, "-m", *each], env=service_environment, cwd=tmp_path)
        for each in words
    ]

    def is_ready() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{API}/readyz").status_code == 200
        return False

    wait_for(is_ready)
    yield
    for process in processes:
        stop(process)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.usefixtures("started")
def test_the_upload_of_the_page_becomes_records(tmp_path: Path) -> None:
    (command,) = [line for line in BLOCK if line.startswith("curl")]
    assert command == 'curl -F "file=@example.pdf" http://localhost:8000/ingest'
    shutil.copy(ROOT / "examples" / "pdfs" / "table.pdf", tmp_path / "example.pdf")
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=True)
    ticket = json.loads(done.stdout)
    wait_for(lambda: httpx.get(API + ticket["links"]["self"]).json()["state"] == "done")
    records = httpx.get(API + ticket["links"]["result"]).text.splitlines()
    assert json.loads(records[0])["metadata"]["source"] == "example.pdf"


def test_the_page_installs_what_it_starts() -> None:
    assert BLOCK[0] == "pip install '.[service]'"
    assert BLOCK[1].startswith("redis-server --appendonly yes")
