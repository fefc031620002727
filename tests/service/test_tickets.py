"""A ticket is one worker's at a time, and only that one can say how it ended."""

from typing import Any

import pytest

from conftest import wait_for
from pdfingest.service.ticket import State, Ticket, new_id
from pdfingest.service.tickets import Tickets

pytestmark = pytest.mark.service

REPORT: dict[str, Any] = {
    "sha256": "s", "pages": 1, "wall_s": 0.1, "failure": "", "peak_rss_bytes": 1,
}  # fmt: skip


@pytest.fixture
def ticket_id(tickets: Tickets) -> str:
    ticket_id = new_id()
    tickets.add(Ticket(ticket_id, "a.pdf", f"uploads/{ticket_id}.pdf", passwords=("secret",)))
    return ticket_id


def state(tickets: Tickets, ticket_id: str) -> State:
    ticket = tickets.get(ticket_id)
    assert ticket is not None
    return ticket.state


def run_out(tickets: Tickets, ticket_id: str) -> None:
    """Wait until the lease of a ticket has run out."""
    wait_for(lambda: ticket_id in tickets.lost(60))


def test_of_two_workers_one_gets_a_ticket(tickets: Tickets, ticket_id: str) -> None:
    assert tickets.claim(ticket_id, "one", 30, 3)[0] == "claimed"
    assert tickets.claim(ticket_id, "other", 30, 3)[0] == "running"


def test_a_worker_that_lost_its_lease_changes_nothing(tickets: Tickets, ticket_id: str) -> None:
    assert tickets.claim(ticket_id, "one", 0.1, 3)[0] == "claimed"
    run_out(tickets, ticket_id)
    assert tickets.claim(ticket_id, "other", 30, 3)[0] == "claimed"
    assert not tickets.extend(ticket_id, "one", 30, 1, 2)
    assert not tickets.release(ticket_id, "one")
    assert not tickets.finish(ticket_id, "one", State.FAILED, REPORT)
    assert state(tickets, ticket_id) is State.RUNNING
    assert tickets.finish(ticket_id, "other", State.DONE, REPORT)
    assert not tickets.finish(ticket_id, "other", State.FAILED, REPORT)
    assert state(tickets, ticket_id) is State.DONE


def test_a_lease_that_is_extended_holds(tickets: Tickets, ticket_id: str) -> None:
    assert tickets.claim(ticket_id, "one", 0.2, 3)[0] == "claimed"
    first_end_s = tickets.now() + 0.2
    assert tickets.extend(ticket_id, "one", 30, 1, 2)
    wait_for(lambda: tickets.now() > first_end_s)
    assert tickets.claim(ticket_id, "other", 30, 3)[0] == "running"
    assert ticket_id not in tickets.lost(60)


def test_who_claims_a_ticket_after_its_last_attempt_is_told_so(
    tickets: Tickets, ticket_id: str
) -> None:
    answers = []
    for number in range(4):
        answers.append(tickets.claim(ticket_id, str(number), 0.01, 3)[0])
        run_out(tickets, ticket_id)
    assert answers == ["claimed", "claimed", "claimed", "spent"]
    ticket = tickets.get(ticket_id)
    assert ticket is not None
    assert ticket.attempts == 3, "no more than were promised"


def test_a_ticket_that_is_given_back_uncounted_keeps_all_its_attempts(
    tickets: Tickets, ticket_id: str
) -> None:
    for number in range(6):
        assert tickets.claim(ticket_id, str(number), 30, 3)[0] == "claimed"
        assert tickets.release(ticket_id, str(number))
    ticket = tickets.get(ticket_id)
    assert ticket is not None
    assert (ticket.state, ticket.attempts) == (State.QUEUED, 0)


def test_a_cancelled_ticket_stays_cancelled(tickets: Tickets, ticket_id: str) -> None:
    assert tickets.claim(ticket_id, "one", 30, 3)[0] == "claimed"
    assert tickets.cancel(ticket_id)
    assert not tickets.cancel(ticket_id)
    assert not tickets.finish(ticket_id, "one", State.DONE, REPORT)
    assert tickets.claim(ticket_id, "other", 30, 3)[0] == "cancelled"
    assert state(tickets, ticket_id) is State.CANCELLED


def test_passwords_do_not_outlive_their_ticket(tickets: Tickets, ticket_id: str) -> None:
    tickets.claim(ticket_id, "one", 30, 3)
    ticket = tickets.get(ticket_id)
    assert ticket is not None
    assert tuple(ticket.passwords) == ("secret",)
    tickets.finish(ticket_id, "one", State.DONE, REPORT)
    assert "secret" not in str(tickets.client.hgetall(f"pdfingest:job:{ticket_id}"))


def test_a_claim_of_a_ticket_that_is_not_there_is_told_so(tickets: Tickets) -> None:
    assert tickets.claim(new_id(), "one", 30, 3)[0] == "gone"


def test_what_is_done_once_in_a_period_is_due_for_one_of_all_who_ask(tickets: Tickets) -> None:
    name = new_id()
    assert [tickets.is_due(name, 1) for _ in range(3)] == [True, False, False]
    wait_for(lambda: tickets.is_due(name, 60), 5)
    assert not tickets.is_due(name, 60)
