"""How long what the service has is kept: from the end of a job, and not a file of an open one."""

import os
import time
from pathlib import Path

import httpx
import pytest

from conftest import wait_for
from pdfingest.remote.scratch import Scratch
from pdfingest.service.contents import upload_key
from pdfingest.service.store import Store, open_store
from pdfingest.service.ticket import State, Ticket, new_id
from pdfingest.service.tickets import Tickets

from .conftest import Buckets, Serve, end, send

pytestmark = pytest.mark.service


def upload(tickets: Tickets, store: Store) -> str:
    """A ticket with an upload."""
    ticket_id = new_id()
    path = os.path.join(store.scratch, new_id())
    Path(path).write_bytes(b"%PDF-")
    store.put(upload_key(ticket_id), path)
    tickets.add(Ticket(ticket_id, "a.pdf", upload_key(ticket_id)))
    return ticket_id


def test_a_job_is_kept_from_its_end_and_then_counted_as_expired(
    tickets: Tickets, store: Store
) -> None:
    keeper = Tickets(tickets.client, 1)
    waiting, ended = upload(keeper, store), upload(keeper, store)
    time.sleep(1.2)
    end(keeper, store, ended)
    assert list(keeper.expired()) == [], "it ended just now, however old it is"
    before = keeper.counts().get("jobs:expired", 0)
    wait_for(lambda: ended in set(keeper.expired()), 5)
    assert keeper.get(ended) is None
    assert keeper.counts()["jobs:expired"] == before + 1
    assert keeper.get(waiting) is not None, "it has not ended"
    assert ended not in {each.id for each in keeper.newest("", 0, 1000)[0]}


def test_the_upload_of_an_open_job_is_kept_however_old_it_is(
    tickets: Tickets, store: Store
) -> None:
    waiting, ended = upload(tickets, store), upload(tickets, store)
    assert tickets.cancel(ended)
    time.sleep(0.05)
    store.expire(0, tickets.is_open)
    assert list(store.read(upload_key(waiting)))
    with pytest.raises(FileNotFoundError):
        store.read(upload_key(ended))


def test_a_name_is_kept_as_long_as_its_job(tickets: Tickets) -> None:
    name, ticket_id = new_id(), new_id()
    assert tickets.remember(name, ticket_id) == ticket_id
    assert 0 < tickets.client.ttl(f"pdfingest:same:{name}") <= 60, "its ticket may never be added"
    tickets.add(Ticket(ticket_id, "a.pdf", "", named=name))
    assert tickets.client.ttl(f"pdfingest:same:{name}") == -1
    assert tickets.cancel(ticket_id)
    assert tickets.client.ttl(f"pdfingest:same:{name}") > 60
    assert tickets.delete(ticket_id)
    assert tickets.recall(name) is None


def test_records_that_may_be_used_again_are_those_of_whole_files(
    api: str, tickets: Tickets, store: Store
) -> None:
    for status, wanted in (("ok", True), ("partial", False)):
        ticket = send(api).json()
        found = tickets.get(ticket["id"])
        assert found is not None
        assert tickets.claim(ticket["id"], "token", 30, 3)[0] == "claimed"
        names = ("sha256", "failure")
        report = {"pages": 1, "wall_s": 1, "peak_rss_bytes": 1, **dict.fromkeys(names, "")}
        report["status"] = status
        assert tickets.finish(ticket["id"], "token", State.DONE, report)
        assert (tickets.recall(found.same) is not None) == wanted
        assert tickets.delete(ticket["id"])
        assert tickets.recall(found.same) is None
    del store


def test_metrics_tell_what_the_service_is_about(
    serve: Serve, tickets: Tickets, store: Store
) -> None:
    api = serve()
    end(tickets, store, send(api).json()["links"]["self"])
    waiting = send(api).json()
    found = httpx.get(f"{api}/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in found.splitlines() if line[0] != "#")
    assert float(lines['pdfingest_file_peak_bytes_bucket{le="67108864.0"}']) >= 1
    assert (
        lines["pdfingest_file_peak_bytes_count"]
        == lines['pdfingest_file_peak_bytes_bucket{le="+Inf"}']
    )
    assert float(lines["pdfingest_file_peak_bytes_sum"]) >= 40 << 20
    assert float(lines["pdfingest_jobs_waiting"]) >= 1
    assert float(lines["pdfingest_queue_age_seconds"]) > 0
    assert lines["pdfingest_workers"] == "0.0"
    assert httpx.delete(f"{api}{waiting['links']['self']}").status_code == 204


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_what_a_killed_program_left_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pid = os.fork()
    if pid == 0:
        Path(Scratch().make("lane"), "file").write_text("x")
        os._exit(0)  # nothing is cleaned up, as by a SIGKILL
    os.waitpid(pid, 0)
    (left,) = tmp_path.iterdir()
    living, other = Scratch(), tmp_path / "pdfingest-other"
    other.mkdir()
    assert not left.exists()
    again = Scratch()
    assert len(list(tmp_path.iterdir())) == 3, "those of living programs, and what is not ours"
    again.close()
    living.close()
    assert list(tmp_path.iterdir()) == [other]


def test_an_object_store_leaves_nothing_in_the_temporary_folder(
    buckets: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = open_store(f"s3://{buckets.make()}/store")
    assert list(tmp_path.iterdir())
    store.check()
    store.close()
    assert not list(tmp_path.iterdir())
