"""Many clients, two workers: what goes in is accounted for, each file once."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from faulty import write_pdf

from conftest import FAULTS, wait_for
from pdfingest.service.tickets import Tickets

from .conftest import Serve, stop

pytestmark = [pytest.mark.service, pytest.mark.slow]

FILES, CLIENTS = 300, 16


@pytest.fixture
def workers(service_environment: dict[str, str]) -> Iterator[None]:
    environment = {**service_environment, "PYTHONPATH": str(FAULTS), "PDFINGEST_ENGINE": "faulty"}
    command = [sys.executable, "-m", "pdfingest", "worker"]
    processes = [subprocess.Popen(command, env=environment) for _ in range(2)]
    yield
    for process in processes:
        stop(process)


@pytest.mark.usefixtures("workers")
def test_uploads_of_many_clients_are_all_accounted_for(
    serve: Serve, service_environment: dict[str, str], tickets: Tickets, tmp_path: Path
) -> None:
    service_environment["PYTHONPATH"] = str(FAULTS)  # the API looks the engine up as well
    api = serve(ENGINE="faulty")
    for number in range(FILES):
        fault = {7: "sigkill", 11: "raises"}.get(number % 20, "")
        write_pdf(tmp_path / f"{number:03}.pdf", 2, fault=fault, page=2)
    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(CLIENTS) as clients:

        def upload(path: Path) -> dict[str, Any]:
            answer = client.post(f"{api}/ingest", files={"file": (path.name, path.read_bytes())})
            assert answer.status_code == 202, answer.text
            ticket: dict[str, Any] = answer.json()
            return ticket

        sent = list(clients.map(upload, sorted(tmp_path.glob("*.pdf"))))
        assert len({ticket["id"] for ticket in sent}) == FILES
        wait_for(lambda: not tickets.queued() and not tickets.running(), 90)
        ended = list(
            clients.map(lambda ticket: client.get(api + ticket["links"]["self"]).json(), sent)
        )
        for number, ticket in enumerate(ended):
            lost = number % 20 in {7, 11}
            assert (ticket["name"], ticket["state"]) == (f"{number:03}.pdf", "done")
            assert ticket["report"]["status"] == ("partial" if lost else "ok")
            assert ticket["attempts"] == 1
            records = client.get(api + ticket["links"]["result"]).text.splitlines()
            assert len(records) == 2 - lost
    assert tickets.counts()["jobs:done"] == tickets.counts()["jobs:accepted"] == FILES
