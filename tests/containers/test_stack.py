"""Redis, the API and workers in containers: what is sent is accounted for, whatever dies."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from faulty import write_pdf

from conftest import ROOT, wait_for

from .conftest import Client, start
from .engine import GRACE_S, Stack

TABLE = (ROOT / "examples" / "pdfs" / "table.pdf").read_bytes()


def faulty(folder: Path, name: str, pages: int = 2, **order: Any) -> bytes:
    """A file for the engine that fails on demand."""
    path = folder / name
    write_pdf(path, pages, **order)
    return path.read_bytes()


def test_the_stack_needs_no_file_to_be_written_first(stack: Stack, client: Client) -> None:
    start(stack)
    job = client.ended(client.send("table.pdf", TABLE))
    assert (job["state"], job["report"]["status"]) == ("done", "ok")
    records = client.text(job["links"]["result"]).splitlines()
    assert [json.loads(line)["metadata"]["page"] for line in records] == [1]


def test_only_this_machine_is_served(stack: Stack) -> None:
    start(stack)
    (api,) = stack.containers("api")
    found = stack.engine.inspect(api)
    published = [each for ports in found["NetworkSettings"]["Ports"].values() for each in ports]
    assert [each["HostIp"] for each in published] == ["127.0.0.1"]
    assert found["HostConfig"]["ReadonlyRootfs"]
    for service in ("redis", "worker"):
        (container,) = stack.containers(service)
        assert not any(stack.engine.inspect(container)["NetworkSettings"]["Ports"].values())


def test_workers_are_added_while_it_runs(stack: Stack, client: Client) -> None:
    start(stack)
    (first,) = stack.containers("worker")
    start(stack, workers=3)
    assert len(stack.containers("worker")) == 3
    jobs = [client.send(f"{number}.pdf", TABLE + bytes(number)) for number in range(30)]
    ended = [client.ended(job) for job in jobs]
    assert {job["state"] for job in ended} == {"done"}
    assert {job["attempts"] for job in ended} == {1}
    assert first in stack.containers("worker")


def test_the_job_of_a_worker_that_is_killed_is_done_by_another(
    stack: Stack, client: Client, tmp_path: Path
) -> None:
    stack.configure(engine="faulty")
    start(stack)
    job = client.send("slow.pdf", faulty(tmp_path, "slow.pdf", fault="sleep", seconds=4))
    wait_for(lambda: client.state(job) == "running", 60)
    (first,) = stack.containers("worker")
    start(stack, workers=2)
    stack.engine("kill", "--signal", "KILL", first)
    began_s = time.monotonic()
    ended = client.ended(job, 60)
    print(f"done {time.monotonic() - began_s:.1f} s after its worker was killed")
    assert (ended["state"], ended["attempts"]) == ("done", 2)


def test_a_worker_that_is_stopped_gives_its_job_back(
    stack: Stack, client: Client, tmp_path: Path
) -> None:
    stack.configure(engine="faulty")
    start(stack)
    job = client.send("slow.pdf", faulty(tmp_path, "slow.pdf", fault="sleep", seconds=6))
    wait_for(lambda: client.state(job) == "running", 60)
    (first,) = stack.containers("worker")
    start(stack, workers=2)
    seconds = stack.engine.stop(first, GRACE_S)
    print(f"the worker ended {seconds:.1f} s after SIGTERM, in the middle of a job")
    assert seconds < GRACE_S
    began_s = time.monotonic()
    ended = client.ended(job, 60)
    took_s = time.monotonic() - began_s
    print(f"another did it within {took_s:.1f} s, of which it reads for 6")
    assert (ended["state"], ended["attempts"]) == ("done", 1)
    assert took_s < 20, "it was not given back at once, but found by the sweep"


def test_an_api_that_is_stopped_does_not_wait_for_those_who_listen(
    stack: Stack, client: Client
) -> None:
    start(stack, workers=0)
    job = client.job(client.send("table.pdf", TABLE))
    (api,) = stack.containers("api")
    with client.http.stream("GET", job["links"]["events"]) as events:
        assert "queued" in next(events.iter_text())
        seconds = stack.engine.stop(api, GRACE_S)
    print(f"the API ended {seconds:.1f} s after SIGTERM, with a client that listens")
    assert seconds < GRACE_S


@pytest.mark.parametrize("budget", ["", "2G"], ids=["budget", "kernel"])
def test_a_hog_ends_alone_in_a_small_container(
    stack: Stack, client: Client, tmp_path: Path, budget: str
) -> None:
    """With a budget above what the container has, it is the kernel that ends the child."""
    stack.configure(engine="faulty", lanes="1", budget=budget, memory="384m")
    start(stack)
    (worker,) = stack.containers("worker")
    for number, fault in enumerate(("hog", "hog_in_c", "hog")):
        content = faulty(tmp_path, f"{number}.pdf", fault=fault, page=1)
        job = client.ended(client.send(f"{fault}.pdf", content))
        report = job["report"]
        print(fault, report["failure"], report["message"], report["peak_rss_bytes"] >> 20, "MiB")
        assert (job["attempts"], report["failure"]) == (1, "memory_limit")
    after = client.ended(client.send("after.pdf", faulty(tmp_path, "after.pdf")))
    assert after["report"]["status"] == "ok"
    assert stack.containers("worker") == [worker]
    assert budget or not stack.engine.inspect(worker)["State"]["OOMKilled"]


def test_a_redis_that_dies_has_forgotten_nothing(
    stack: Stack, client: Client, tmp_path: Path
) -> None:
    stack.configure(engine="faulty")
    start(stack, workers=2)
    jobs = [
        client.send("x.pdf", faulty(tmp_path, f"{number}.pdf", fault="sleep", seconds=0.5))
        for number in range(30)
    ]
    for end in (("restart",), ("kill", "--signal", "KILL")):
        (redis,) = stack.containers("redis")
        stack.engine(*end, redis)
        if end[0] == "kill":
            stack.engine("start", redis)
        wait_for(lambda: stack.containers("redis"), 30)
        time.sleep(1)  # so that some are done between the two
    wait_for(lambda: "ok" in client.text("/readyz"), 60)
    ended = [client.ended(job, 90) for job in jobs]
    assert {job["state"] for job in ended} == {"done"}
    assert {job["report"]["status"] for job in ended} == {"ok"}


def test_a_run_has_its_files_read_by_the_workers(stack: Stack) -> None:
    for path in (ROOT / "examples" / "pdfs").iterdir():
        (stack.folder / "pdfs" / path.name).write_bytes(path.read_bytes())
    start(stack, workers=2)
    words = ("run", "--rm", "-T", "worker", "run", "/pdfs", "--on", "celery", "--output", "-")
    records = [json.loads(line) for line in stack.compose(*words).splitlines()]
    found = {record["metadata"]["source"] for record in records}
    assert found == {path.name for path in (stack.folder / "pdfs").iterdir()}
