"""A job is one worker's at a time, and only that one can say how it ended."""

import time
from typing import Any

import pytest

from conftest import wait_for
from pdfingest.service.jobs import Job, Jobs, State, new_id

pytestmark = pytest.mark.service

REPORT: dict[str, Any] = {
    "sha256": "s", "pages": 1, "wall_s": 0.1, "failure": "", "peak_rss_bytes": 1,
}  # fmt: skip


@pytest.fixture
def job_id(jobs: Jobs) -> str:
    job_id = new_id()
    jobs.add(Job(job_id, "a.pdf", f"uploads/{job_id}.pdf", passwords=("secret",)))
    return job_id


def state(jobs: Jobs, job_id: str) -> State:
    job = jobs.get(job_id)
    assert job is not None
    return job.state


def test_of_two_workers_one_gets_a_job(jobs: Jobs, job_id: str) -> None:
    assert jobs.claim(job_id, "one", 30, 3) == "claimed"
    assert jobs.claim(job_id, "other", 30, 3) == "running"


def test_who_lost_its_lease_has_no_say(jobs: Jobs, job_id: str) -> None:
    assert jobs.claim(job_id, "one", 0.1, 3) == "claimed"
    time.sleep(0.2)
    assert job_id in jobs.lost(60)
    assert jobs.claim(job_id, "other", 30, 3) == "claimed"
    assert not jobs.extend(job_id, "one", 30, 1, 2)
    assert not jobs.release(job_id, "one")
    assert not jobs.finish(job_id, "one", State.FAILED, REPORT)
    assert state(jobs, job_id) is State.RUNNING
    assert jobs.finish(job_id, "other", State.DONE, REPORT)
    assert not jobs.finish(job_id, "other", State.FAILED, REPORT)
    assert state(jobs, job_id) is State.DONE


def test_a_lease_that_is_extended_holds(jobs: Jobs, job_id: str) -> None:
    assert jobs.claim(job_id, "one", 0.2, 3) == "claimed"
    for _ in range(4):
        time.sleep(0.1)
        assert jobs.extend(job_id, "one", 0.2, 1, 2)
    assert jobs.claim(job_id, "other", 30, 3) == "running"


def test_attempts_end(jobs: Jobs, job_id: str) -> None:
    answers = []
    for number in range(4):
        answers.append(jobs.claim(job_id, str(number), 0.01, 3))
        time.sleep(0.05)
    assert answers == ["claimed", "claimed", "claimed", "spent"]


def test_what_is_given_back_has_not_been_tried(jobs: Jobs, job_id: str) -> None:
    for number in range(6):
        assert jobs.claim(job_id, str(number), 30, 3) == "claimed"
        assert jobs.release(job_id, str(number))
    job = jobs.get(job_id)
    assert job is not None
    assert (job.state, job.attempts) == (State.QUEUED, 0)


def test_a_cancelled_job_stays_cancelled(jobs: Jobs, job_id: str) -> None:
    assert jobs.claim(job_id, "one", 30, 3) == "claimed"
    assert jobs.cancel(job_id)
    assert not jobs.cancel(job_id)
    assert not jobs.finish(job_id, "one", State.DONE, REPORT)
    assert jobs.claim(job_id, "other", 30, 3) == "cancelled"
    assert state(jobs, job_id) is State.CANCELLED


def test_passwords_do_not_outlive_their_job(jobs: Jobs, job_id: str) -> None:
    jobs.claim(job_id, "one", 30, 3)
    job = jobs.get(job_id)
    assert job is not None
    assert tuple(job.passwords) == ("secret",)
    jobs.finish(job_id, "one", State.DONE, REPORT)
    assert "secret" not in str(jobs.client.hgetall(f"pdfingest:job:{job_id}"))


def test_a_job_that_is_not_there_is_gone(jobs: Jobs) -> None:
    assert jobs.claim(new_id(), "one", 30, 3) == "gone"


def test_what_is_done_once_in_a_period_is_due_for_one_of_all_who_ask(jobs: Jobs) -> None:
    name = new_id()
    assert [jobs.is_due(name, 1) for _ in range(3)] == [True, False, False]
    wait_for(lambda: jobs.is_due(name, 60), 5)
    assert not jobs.is_due(name, 60)
