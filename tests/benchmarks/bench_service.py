"""The service over thousands of uploads: is it flat, and what does it cost beside `run`?

    nox -s bench

A real Valkey, API and worker on loopback, sixteen clients; then, to show why, a server as it is
usually written, which parses in its own process. Prints the memory of each over the jobs done, with
the verdict of `pdfingest bench`, and files a second beside those of `run` and of `run --on celery`
on the same files. Judges nothing. Needs the extra `service`. `PDFINGEST_BENCH_LANES` (2) is what
`run` and the worker have; API, Redis and clients share the CPUs with them.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
import psutil
from files import real_files

from pdfingest.measure.flatness import judge
from pdfingest.service import queue
from pdfingest.service.embedded import find_program
from pdfingest.service.settings import Settings

JOBS = int(os.environ.get("PDFINGEST_BENCH_JOBS", "5000"))
CLIENTS = 16
LANES = int(os.environ.get("PDFINGEST_BENCH_LANES", "2"))
NAIVE = """
import sys, uvicorn, pdfplumber
from fastapi import FastAPI, UploadFile
app = FastAPI()
@app.post("/ingest")
def ingest(file: UploadFile) -> dict[str, int]:
    try:
        with pdfplumber.open(file.file) as pdf:
            return {"chars": sum(len(page.extract_text()) for page in pdf.pages)}
    except Exception:
        return {"chars": 0}
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program, while the block runs."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_until(url: str) -> None:
    """Wait until a server answers."""
    for _ in range(200):
        with suppress(httpx.TransportError):
            httpx.get(url)
            return
        time.sleep(0.1)
    raise TimeoutError(url)


class Watch:
    """Resident memory of processes over the jobs done."""

    def __init__(self, done: Callable[[], int], **pids: int) -> None:
        self.points: dict[str, list[tuple[int, int]]] = {name: [] for name in pids}
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._done, self._over = done, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(0.2):
            for name, process in self._processes.items():
                self.points[name].append((self._done(), process.memory_info().rss))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for name, points in self.points.items():
            first, last = points[len(points) // 4][1], points[-1][1]
            trend = judge(points)
            print(f"  {name:8} {first >> 20} to {last >> 20} MiB, {trend.verdict.upper()}: {trend}")


def upload(url: str, paths: list[Path]) -> int:
    """Send files from many clients; gives how many were taken.

    They have the CPUs of the service, so they do no more than a client must.
    """
    netloc, mine = urlsplit(url).netloc, threading.local()
    kind = {"Content-Type": "multipart/form-data; boundary=between"}

    def begin() -> None:
        mine.connection = HTTPConnection(netloc, timeout=120)

    def send(path: Path) -> bool:
        head = f'--between\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"'
        body = head.encode() + b"\r\n\r\n" + path.read_bytes() + b"\r\n--between--\r\n"
        mine.connection.request("POST", "/ingest", body, kind)
        answer = mine.connection.getresponse()
        answer.read()
        return bool(answer.status < HTTPStatus.BAD_REQUEST)

    with ThreadPoolExecutor(CLIENTS, initializer=begin) as clients:
        return sum(clients.map(send, paths))


def main() -> None:
    """Service, naive server, and throughput."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        real_files(folder / "pdfs")
        port, api_port = free_port(), free_port()
        environment = {
            **os.environ,
            "PDFINGEST_REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "PDFINGEST_STORE": str(folder / "store"),
            "PDFINGEST_LANES": str(LANES),
            "PDFINGEST_RATE": "1000000",
            "PDFINGEST_MAX_QUEUE": "1000000",
            "PDFINGEST_SOURCE_PREFIXES": "/",
        }
        redis = [find_program(), "--port", str(port), "--dir", name, "--save", ""]
        program = [sys.executable, "-m", "pdfingest"]
        url = f"http://127.0.0.1:{api_port}"
        with (
            running(redis, environment),
            running([*program, "serve", "--port", str(api_port)], environment) as api,
            running([*program, "worker"], environment) as worker,
        ):
            wait_until(f"{url}/healthz")
            time.sleep(2)
            flat(url, folder, environment, api, worker)
            throughput(url, folder, environment)
        naive(folder)


def flat(
    url: str,
    folder: Path,
    environment: dict[str, str],
    api: subprocess.Popen[bytes],
    worker: subprocess.Popen[bytes],
) -> None:
    """Memory of API and worker over many jobs."""
    tickets = queue.connect(Settings(redis_url=environment["PDFINGEST_REDIS_URL"]))
    paths = unlike(folder, JOBS)

    def done() -> int:
        return int(sum(v for k, v in tickets.counts().items() if k in {"jobs:done", "jobs:failed"}))

    print(f"\n{JOBS:,} uploads from {CLIENTS} clients, one worker of {LANES} lanes")
    with Watch(done, api=api.pid, worker=worker.pid):
        began_s = time.perf_counter()
        taken = upload(url, paths)
        while done() < taken:
            time.sleep(0.1)
    seconds = time.perf_counter() - began_s
    print(f"  {taken:,} taken, {done():,} ended, {taken / seconds:.0f} a second")


def unlike(folder: Path, count: int) -> list[Path]:
    """Small files, no two alike, or the service would answer with what it has."""
    content = next((folder / "pdfs").glob("*.pdf")).read_bytes()
    small = min((p.read_bytes() for p in (folder / "pdfs").glob("*.pdf")), key=len)
    content = small or content
    made = folder / "made"
    made.mkdir()
    for number in range(count):
        (made / f"{number}.pdf").write_bytes(content + b"\n%% %d" % number)
    return list(made.iterdir())


def throughput(url: str, folder: Path, environment: dict[str, str]) -> None:
    """Files a second of `run`, of the service, and of `run` on its workers."""
    tickets = queue.connect(Settings(redis_url=environment["PDFINGEST_REDIS_URL"]))
    paths = [path.resolve() for path in (folder / "pdfs").glob("*.pdf")]
    times: dict[str, list[float]] = {}
    for number in range(5):
        for way in ("run", "celery", "uploads"):
            began_s = time.perf_counter()
            if way == "uploads":
                before = sum(tickets.counts().get(f"jobs:{s}", 0) for s in ("done", "failed"))
                for path in paths:  # each time as files that nobody has seen
                    mark = f"\n%% {number} {path}".encode()
                    (folder / path.name).write_bytes(path.read_bytes() + mark)
                began_s = time.perf_counter()
                taken = upload(url, [folder / path.name for path in paths])
                while (
                    sum(tickets.counts().get(f"jobs:{s}", 0) for s in ("done", "failed"))
                    < before + taken
                ):
                    time.sleep(0.02)
            else:
                more = ["--on", "celery"] if way == "celery" else ["-w", str(LANES)]
                out = str(folder / f"{way}-{number}")
                command = [sys.executable, "-m", "pdfingest", "run", str(folder / "pdfs")]
                subprocess.run([*command, "-o", out, "-q", *more], env=environment, check=False)
            times.setdefault(way, []).append(time.perf_counter() - began_s)
    print(f"\n{len(paths)} real files, medians of 5 interleaved rounds")
    base = sorted(times["run"])[2]
    for way, each in times.items():
        median = sorted(each)[2]
        print(f"  {way:8} {median:.2f} s ({min(each):.2f} to {max(each):.2f}), {base / median:.2f}")


def naive(folder: Path) -> None:
    """A server that parses in its own process."""
    port = free_port()
    paths = sorted((folder / "pdfs").glob("*.pdf"), key=lambda path: path.stat().st_size)[:100]
    done = 0
    url = f"http://127.0.0.1:{port}"
    print("\na server that parses in its own process (pdfplumber), 1,000 uploads of 100 files")
    with running([sys.executable, "-c", NAIVE, str(port)], dict(os.environ)) as server:
        wait_until(f"{url}/docs")
        with Watch(lambda: done, server=server.pid):
            for _ in range(10):
                done += upload(url, paths)


if __name__ == "__main__":
    main()
