"""Whatever happens to worker, child, Redis or store: each ticket ends once, and truthfully."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message
from functools import cached_property
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from faulty import write_pdf

from conftest import environment, make_pdf, read_lines, wait_for
from pdfingest.engines.registry import find_engines
from pdfingest.run.tools import options_digest
from pdfingest.service import queue
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.embedded import find_program
from pdfingest.service.presence import present
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store, open_store
from pdfingest.service.ticket import State, Ticket, Told, new_id
from pdfingest.service.tickets import Tickets

from .conftest import Buckets, free_port, settings_in, stop

pytestmark = pytest.mark.service

LEASE_S = 3


class Broker:
    """A Redis that keeps what it has, and can be started again."""

    def __init__(self, folder: Path) -> None:
        program = find_program()
        self.port = free_port()
        options = {"port": self.port, "dir": folder, "appendonly": "yes", "save": ""}
        words = (word for k, v in options.items() for word in (f"--{k}", str(v)))
        self._command = [program, *words]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

        def is_up() -> bool:
            with suppress(redis.ConnectionError, redis.BusyLoadingError):
                return bool(client.ping())
            return False

        with redis.Redis(port=self.port) as client:
            wait_for(is_up)

    def stop(self) -> None:
        stop(self._process)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "redis"
    folder.mkdir()
    broker = Broker(folder)
    yield broker
    broker.stop()


class Service:
    """The parts of a service that a test needs."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.folder = folder
        self.environment = environment(
            PDFINGEST_REDIS_URL=f"redis://127.0.0.1:{broker.port}/0",
            PDFINGEST_STORE=str(folder / "store"),
            PDFINGEST_LANES="1",
            PDFINGEST_LEASE=str(LEASE_S),
            PDFINGEST_ENGINE="faulty",
            PDFINGEST_MEMORY_BUDGET="256M",
            PDFINGEST_TIMEOUT="20",
            PDFINGEST_PAGE_TIMEOUT="2",
            PDFINGEST_SOURCE_PREFIXES=str(folder),
        )
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def settings(self) -> Settings:
        return settings_in(self.environment)

    @cached_property
    def tickets(self) -> Tickets:
        return queue.connect(self.settings)

    @cached_property
    def app(self) -> Any:
        return queue.make_app(self.settings)

    @cached_property
    def store(self) -> Store:
        return open_store(self.settings.store)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.tickets.client.close()
        self.app.close()

    def work(self, *before: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a worker, by a program that runs another if one is given."""
        with open(self.folder / f"worker-{len(self.workers)}.log", "wb") as log:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", "pdfingest", "worker"],
                env={**self.environment, **more},
                stderr=log,
            )
        self.workers.append(process)
        return process

    def send(self, path: Path, **more: Any) -> str:
        """Queue a file, as the API does; gives the id of its ticket."""
        ticket_id, store = new_id(), self.store
        scratch = os.path.join(store.scratch, ticket_id)
        shutil.copy(path, scratch)
        store.put(upload_key(ticket_id), scratch)
        self.tickets.add(Ticket(ticket_id, path.name, upload_key(ticket_id), **more))
        queue.send(self.app, ticket_id)
        return ticket_id

    def faulty(self, pages: int = 2, **order: Any) -> str:
        """Queue a file of the engine that misbehaves."""
        path = self.folder / f"{new_id()}.pdf"
        write_pdf(path, pages, **order)
        return self.send(path)

    def ticket(self, ticket_id: str) -> Ticket:
        ticket = self.tickets.get(ticket_id)
        assert ticket is not None
        return ticket

    def ended(self, ticket_id: str, seconds: float = 40) -> Ticket:
        """The ticket, once it has ended."""
        wait_for(lambda: self.ticket(ticket_id).state.ended, seconds)
        return self.ticket(ticket_id)

    def running(self, ticket_id: str) -> psutil.Process:
        """The child that reads the file of a ticket, once it does."""
        wait_for(lambda: self.ticket(ticket_id).state is State.RUNNING)
        return self.child()

    def log(self) -> str:
        """What the first worker has said so far."""
        return (self.folder / "worker-0.log").read_text()

    def child(self) -> psutil.Process:
        """The child of the worker that was started last."""

        def children() -> list[psutil.Process]:
            worker = psutil.Process(self.workers[-1].pid)
            return [below for helper in worker.children() for below in helper.children()]

        wait_for(children)
        return children()[0]

    def records(self, ticket_id: str) -> list[int]:
        """Pages of the records that are in the store."""
        content = b"".join(self.store.read(result_key(ticket_id)))
        return [json.loads(line)["metadata"]["page"] for line in content.splitlines()]


@pytest.fixture
def service(broker: Broker, tmp_path: Path) -> Iterator[Service]:
    service = Service(broker, tmp_path)
    yield service
    service.close()


def test_the_records_are_those_of_a_run(service: Service, tmp_path: Path) -> None:
    service.environment["PDFINGEST_ENGINE"] = "auto"
    path = make_pdf(tmp_path / "in" / "a.pdf", ["First page", "Second page"])
    service.work()
    ticket_id = service.send(path)
    ticket = service.ended(ticket_id)
    assert ticket.report is not None
    assert (ticket.state, ticket.attempts, ticket.report["pages"]) == (State.DONE, 1, 2)
    command = [sys.executable, "-m", "pdfingest", "run", str(path), "-o", "-", "-q"]
    run = subprocess.run(command, env=environment(), capture_output=True, check=True)
    assert b"".join(service.store.read(result_key(ticket_id))) == run.stdout
    with pytest.raises(FileNotFoundError):
        service.store.read(upload_key(ticket_id))


def test_a_killed_worker_costs_its_ticket_an_attempt_and_no_more(service: Service) -> None:
    worker = service.work()
    ticket_id = service.faulty(fault="sleep", page=1, seconds=1)
    service.running(ticket_id)
    worker.kill()
    service.work()
    ticket = service.ended(ticket_id)
    assert (ticket.state, ticket.attempts, service.records(ticket_id)) == (State.DONE, 2, [1, 2])


@pytest.mark.parametrize(
    ("fault", "kind"), [("sigkill", "crashed"), ("hang", "timeout"), ("hog", "memory_limit")]
)
def test_a_page_that_ends_its_child_is_the_only_one_lost(
    service: Service, fault: str, kind: str
) -> None:
    service.work()
    ticket_id = service.faulty(3, fault=fault, page=2)
    ticket = service.ended(ticket_id)
    assert ticket.report is not None
    assert (ticket.state, ticket.attempts) == (State.DONE, 1)
    assert (ticket.report["failure"], ticket.report["failed_pages"]) == (kind, [2])
    assert service.records(ticket_id) == [1, 3]
    assert service.workers[0].poll() is None


def nofile(soft: int, hard: int) -> list[str]:
    """How to run a program under limits on its descriptors."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        pytest.skip("needs prlimit (util-linux)")
    return [prlimit, f"--nofile={soft}:{hard}"]


def test_a_worker_allows_itself_the_descriptors_of_its_lanes(service: Service) -> None:
    more = {"PDFINGEST_LANES": "8", "PDFINGEST_MEMORY_BUDGET": "1G"}
    worker = service.work(*nofile(64, 4096), **more)
    ticket_ids = [service.faulty(fault="sleep", page=1, seconds=1) for _ in range(16)]
    tickets = [service.ended(ticket_id) for ticket_id in ticket_ids]
    assert {(ticket.state, ticket.attempts) for ticket in tickets} == {(State.DONE, 1)}
    assert worker.poll() is None


def test_a_worker_with_too_many_lanes_for_its_descriptors_is_refused_with_the_sum(
    service: Service,
) -> None:
    more = {"PDFINGEST_LANES": "64", "PDFINGEST_MEMORY_BUDGET": "8G"}
    worker = service.work(*nofile(256, 256), **more)
    assert worker.wait(20) == 4
    assert "--lanes 64 needs 1,064 descriptors" in service.log()
    assert "Use at most 13 --lanes" in service.log()


def test_a_file_without_records_has_failed(service: Service) -> None:
    service.work()
    ticket_id = service.faulty(1, fault="segfault", page=0)
    ticket = service.ended(ticket_id)
    assert ticket.report is not None
    assert (ticket.state, ticket.report["failure"], ticket.report["signal"]) == (
        State.FAILED, "crashed", "SIGSEGV",
    )  # fmt: skip
    with pytest.raises(FileNotFoundError):
        service.records(ticket_id)


def test_a_redis_that_starts_again_loses_no_ticket(service: Service, broker: Broker) -> None:
    service.work()
    under_way = service.faulty(fault="sleep", page=1, seconds=1)
    waiting = [service.faulty() for _ in range(3)]
    service.running(under_way)
    broker.stop()
    wait_for(lambda: "extend: " in service.log())  # the worker has missed it
    broker.start()
    for ticket_id in (under_way, *waiting):
        ticket = service.ended(ticket_id, 60)
        assert (ticket.state, service.records(ticket_id)) == (State.DONE, [1, 2])
    assert service.workers[0].poll() is None


DEAF = """
import os, sys
import kombu.transport.redis as transport
import pdfingest.service.worker as worker
from pdfingest.__main__ import main
worker._SWEEP_S = 0.3
if os.path.exists({flag!r}):
    os.unlink({flag!r})
    transport.MultiChannelPoller.on_poll_start = lambda self: None
sys.argv = ["pdfingest", "worker"]
sys.exit(main())
"""


def test_a_worker_that_hears_no_message_any_more_starts_itself_anew(service: Service) -> None:
    flag = service.folder / "deaf"
    flag.touch()
    tickets = [service.faulty() for _ in range(3)]
    program = [sys.executable, "-c", DEAF.format(flag=str(flag))]
    with open(service.folder / "worker-0.log", "wb") as log:
        process = subprocess.Popen(program, env=service.environment, stderr=log)
    service.workers.append(process)
    for ticket_id in tickets:
        assert service.ended(ticket_id).state is State.DONE
    assert "the worker starts anew" in service.log()
    assert process.poll() is None, "in the same process"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_stopped_worker_gives_its_ticket_back_at_once(service: Service) -> None:
    worker = service.work()
    ticket_id = service.faulty(fault="hang", page=1)
    child = service.running(ticket_id)
    began_s = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert time.monotonic() - began_s < 7
    assert not child.is_running()
    ticket = service.ticket(ticket_id)
    assert (ticket.state, ticket.attempts) == (State.QUEUED, 0)
    service.work(PDFINGEST_PAGE_TIMEOUT="1")
    assert service.ended(ticket_id).attempts == 1


def test_a_worker_that_is_stopped_while_redis_is_away_ends_all_the_same(
    service: Service, broker: Broker
) -> None:
    worker = service.work()
    child = service.running(service.faulty(fault="hang", page=1))
    broker.stop()
    worker.send_signal(signal.SIGTERM)
    worker.wait(9)
    assert not child.is_running()


def test_the_same_message_twice_is_one_ticket(service: Service) -> None:
    ticket_id = service.faulty(fault="sleep", page=1, seconds=1)
    for _ in range(3):
        queue.send(service.app, ticket_id)
    for _ in range(2):
        service.work()
    ticket = service.ended(ticket_id)
    after = service.faulty()
    service.ended(after)
    assert (service.ticket(ticket_id), ticket.attempts) == (ticket, 1)
    assert service.tickets.counts()["jobs:done"] == 2


def test_a_message_that_was_lost_is_sent_again(service: Service) -> None:
    ticket_id = service.faulty()
    service.tickets.client.delete("pdfingest")  # the queue
    waiting = "pdfingest:queued"
    service.tickets.client.zadd(waiting, {ticket_id: service.tickets.now() - 60})
    service.work()
    assert service.ended(ticket_id).state is State.DONE


def test_a_file_that_kills_workers_is_given_up(service: Service) -> None:
    ticket_id = service.faulty(fault="kills_parent", page=1)
    more = {"PDFINGEST_SANDBOX": "off"}
    for _ in range(service.settings.max_attempts):
        assert service.work(**more).wait(30) == -signal.SIGKILL
    service.work(**more)
    ticket = service.ended(ticket_id)
    assert ticket.report is not None
    assert (ticket.state, ticket.report["failure"]) == (State.FAILED, "crashed")
    assert "3 workers died on it" in ticket.report["message"]
    assert service.ended(service.faulty()).state is State.DONE


def test_a_ticket_that_the_store_fails_alone_ends_as_that_and_keeps_its_file(
    service: Service,
) -> None:
    service.work()
    service.ended(service.faulty())
    results = Path(service.settings.store) / "results"
    shutil.rmtree(results)
    ticket = service.ended(service.faulty())
    assert ticket.report is not None
    assert (ticket.state, ticket.report["failure"]) == (State.FAILED, "store")
    assert "cannot store results/" in ticket.report["message"]
    assert (ticket.attempts, ticket.store_faults) == (1, 2)
    assert list(service.store.read(ticket.source)), "nobody has read it yet"
    results.mkdir()
    assert service.ended(service.faulty()).state is State.DONE


def test_while_the_store_is_away_no_ticket_is_claimed_and_none_is_lost(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.work()
    service.ended(service.faulty())
    scratch = Path(service.store.scratch)
    away = scratch.rename(scratch.with_name("away"))
    monkeypatch.setattr(service.store, "scratch", str(away))
    tickets = [service.faulty() for _ in range(3)]
    wait_for(lambda: "while the store is away" in service.log())
    time.sleep(1)
    assert service.tickets.running() == 0
    away.rename(scratch)
    ended = [service.ended(each, 60) for each in tickets]
    assert {each.state for each in ended} == {State.DONE}
    assert {each.store_faults for each in ended} == {0}


def test_the_same_bytes_are_read_once_and_have_records_of_both_names(service: Service) -> None:
    service.work()
    path = service.folder / "one.pdf"
    write_pdf(path, pages=2)
    other = service.folder / "other.pdf"
    shutil.copy(path, other)
    digest = options_digest(service.settings.options(), find_engines("faulty"))
    made = []
    for each in (path, other):
        ticket_id = service.send(each, same="content", digest=digest)
        made.append(service.ended(ticket_id))
    first, second = made
    assert first.report
    assert second.report
    assert [each["source"] for each in (first.report, second.report)] == ["one.pdf", "other.pdf"]
    assert second.report["duplicate_of"] == "one.pdf"
    assert second.report["pid"] == first.report["pid"], "no child was started for it"
    records = b"".join(service.store.read(result_key(second.id))).splitlines()
    assert [json.loads(line)["metadata"]["source"] for line in records] == ["other.pdf"] * 2
    for ticket in made:
        service.tickets.delete(ticket.id)
    third = service.ended(service.send(path, same="content", digest=digest))
    assert third.report
    assert third.report["duplicate_of"] == "", "there is nothing any more to copy"


def test_a_cancelled_ticket_ends_its_child(service: Service) -> None:
    service.work()
    ticket_id = service.faulty(fault="hang_holding_gil", page=1)
    child = service.running(ticket_id)
    assert service.tickets.cancel(ticket_id)
    wait_for(lambda: not child.is_running(), 10)
    after = service.ended(service.faulty())
    assert (service.ticket(ticket_id).state, after.state) == (State.CANCELLED, State.DONE)
    with pytest.raises(FileNotFoundError):
        service.records(ticket_id)


def test_a_running_ticket_shows_its_progress(service: Service) -> None:
    service.work()
    ticket_id = service.faulty(40, page=-1, page_s=0.1)
    wait_for(lambda: service.ticket(ticket_id).pages_done > 1)
    assert service.ticket(ticket_id).total_pages == 40


def test_the_end_is_told_to_an_allowed_host_and_signed(service: Service) -> None:
    told: list[tuple[bytes, Message]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((body, self.headers))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        service.work(PDFINGEST_WEBHOOK_HOSTS=host, PDFINGEST_WEBHOOK_SECRET="s3cret")
        path = service.folder / "a.pdf"
        write_pdf(path)
        ticket_id = service.send(path, webhook=f"http://{host}/hook")
        elsewhere = service.send(path, webhook="http://127.0.0.2:9/hook")
        wait_for(lambda: told)
        service.ended(elsewhere)
        wait_for(lambda: service.ticket(ticket_id).told is Told.DELIVERED)
        wait_for(lambda: service.ticket(elsewhere).telling_error)
        server.shutdown()
    ((body, headers),) = told
    assert json.loads(body)["id"] == headers["webhook-id"] == ticket_id
    at_s = int(headers["webhook-timestamp"])
    assert abs(at_s - time.time()) < 60
    signed = hmac.new(b"s3cret", f"{ticket_id}.{at_s}.".encode() + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"


@pytest.fixture
def fleet(service: Service) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*args: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pdfingest", "run", *map(str, args), "--on", "celery"]
        return subprocess.run(
            command,
            env=service.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


def test_a_run_on_the_fleet_writes_what_a_local_run_writes(
    service: Service, fleet: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    pdfs = tmp_path / "pdfs"
    pdfs.mkdir()
    for number in range(12):
        fault = {3: "sigkill", 7: "raises"}.get(number, "")
        write_pdf(pdfs / f"{number:02}.pdf", 3, fault=fault, page=2)
    write_pdf(pdfs / "dead.pdf", 1, fault="segfault", page=0)
    for _ in range(2):
        service.work()
    one, other = tmp_path / "here", tmp_path / "there"
    local = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(one)]
    here = subprocess.run(
        [*local, "--engine", "faulty", "-q"], env=environment(), check=False, timeout=60
    )
    there = fleet(pdfs, "-o", other, "--engine", "faulty", "-q")
    assert (there.returncode, there.stderr) == (here.returncode, "")
    for folder in (one, other):
        compact = [sys.executable, "-m", "pdfingest", "compact", str(folder), "-q"]
        subprocess.run(compact, env=environment(), check=True, timeout=60)
    assert (one / "pages.jsonl").read_bytes() == (other / "pages.jsonl").read_bytes()
    told = ("source", "sha256", "status", "failure", "pages", "failed_pages", "chars", "signal")
    assert [[line[key] for key in told] for line in read_lines(one / "report.jsonl")] == [
        [line[key] for key in told] for line in read_lines(other / "report.jsonl")
    ]
    again = fleet(pdfs, "-o", other, "--engine", "faulty")
    assert "unchanged" in again.stderr


def test_a_file_on_the_fleet_may_have_a_name_that_is_not_utf8(
    service: Service, fleet: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    pdfs = tmp_path / "pdfs"
    pdfs.mkdir()
    write_pdf(pdfs / os.fsdecode(b"\xff.pdf"))
    write_pdf(pdfs / "b.pdf")
    service.work()
    done = fleet(pdfs, "-o", tmp_path / "out", "--engine", "faulty", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    lines = read_lines(tmp_path / "out" / "report.jsonl")
    assert sorted(line["source"] for line in lines) == [r"\xff.pdf", "b.pdf"]


def test_sources_that_workers_may_not_open_are_unreadable(
    service: Service, fleet: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    pdfs = tmp_path / "pdfs"
    pdfs.mkdir()
    write_pdf(pdfs / "a.pdf")
    service.work(PDFINGEST_SOURCE_PREFIXES="/nowhere")
    wait_for(lambda: present(service.tickets))
    done = fleet(pdfs, "-o", tmp_path / "out", "--engine", "faulty", "-q")
    assert done.returncode == 2
    assert f"Start them with PDFINGEST_SOURCE_PREFIXES={pdfs}" in done.stderr
    ticket_id = new_id()  # as of a run that began before there was a worker
    service.tickets.add(Ticket(ticket_id, "a.pdf", str(pdfs / "a.pdf")))
    queue.send(service.app, ticket_id)
    report = service.ended(ticket_id).report
    assert report is not None
    assert report["failure"] == "unreadable"
    assert "PDFINGEST_SOURCE_PREFIXES" in report["message"]
    assert service.ticket(ticket_id).attempts == 1


@pytest.mark.skipif(os.getuid() == 0, reason="root reads all")
def test_a_source_that_permissions_keep_from_the_worker_is_unreadable_at_once(
    service: Service,
) -> None:
    path = service.folder / "closed.pdf"
    write_pdf(path)
    path.chmod(0)
    service.work()
    ticket_id = new_id()
    service.tickets.add(Ticket(ticket_id, "closed.pdf", str(path)))
    queue.send(service.app, ticket_id)
    ticket = service.ended(ticket_id)
    assert ticket.report is not None
    assert (ticket.report["failure"], ticket.attempts) == ("unreadable", 1)


def test_a_worker_reads_the_object_that_a_source_names_and_no_other(
    service: Service, buckets: Buckets, tmp_path: Path
) -> None:
    write_pdf(tmp_path / "a.pdf")
    bucket, content = buckets.make(), (tmp_path / "a.pdf").read_bytes()
    for key in ("pdfs/50% of it.pdf", "store/uploads/a.pdf"):
        buckets.put(bucket, key, content)
    service.work(PDFINGEST_SOURCE_PREFIXES=f"s3://{bucket}/pdfs")

    def ended(source: str) -> Ticket:
        """The end of a ticket that the API of an earlier version let in."""
        ticket_id = new_id()
        service.tickets.add(Ticket(ticket_id, "a.pdf", source))
        queue.send(service.app, ticket_id)
        return service.ended(ticket_id)

    assert ended(f"s3://{bucket}/pdfs/50% of it.pdf").state is State.DONE
    for rest in ("%2e%2e/store/uploads/a.pdf", "..%2fstore/uploads/a.pdf", "50%25 of it.pdf"):
        ticket = ended(f"s3://{bucket}/pdfs/{rest}")
        assert ticket.report is not None
        assert (ticket.state, ticket.report["failure"]) == (State.FAILED, "unreadable")


def test_a_worker_that_cannot_open_a_prefix_does_not_start(service: Service) -> None:
    worker = service.work(
        PDFINGEST_SOURCE_PREFIXES="gs://bucket/pdfs", GOOGLE_SERVICE_ACCOUNT="/nowhere.json"
    )
    assert worker.wait(30) == 2
    assert "cannot open gs://bucket/pdfs" in service.log()
    assert "Traceback" not in service.log()


def test_a_fleet_whose_store_is_a_place_of_others_is_a_usage_error(
    service: Service, fleet: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "pdfs").mkdir()
    write_pdf(tmp_path / "pdfs" / "a.pdf")
    service.environment["PDFINGEST_STORE"] = str(tmp_path / "pdfs")
    done = fleet(tmp_path / "pdfs", "-o", tmp_path / "out", "--engine", "faulty")
    assert done.returncode == 2
    assert "it holds 'a.pdf'. Set PDFINGEST_STORE" in done.stderr
    assert os.listdir(tmp_path / "pdfs") == ["a.pdf"]


def test_a_fleet_that_cannot_be_reached_ends_the_run_with_4(
    broker: Broker,
    fleet: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    write_pdf(tmp_path / "a.pdf")
    broker.stop()
    done = fleet(tmp_path / "a.pdf", "-o", tmp_path / "out")
    assert done.returncode == 4
    assert "the service cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
