"""`serve --trust-network`: no keys, any address, and still only this machine."""

import subprocess
from collections.abc import Iterator

import httpx
import pytest

from conftest import wait_for

from .conftest import PROGRAM, answers, free_port, stop

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def trusting(service_environment: dict[str, str]) -> Iterator[str]:
    """URL of an API without keys on all addresses."""
    port = free_port()
    command = [*PROGRAM, "serve", "--host", "0.0.0.0", "--port", str(port), "--trust-network"]
    process = subprocess.Popen(command, env=service_environment)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(url, process))
    yield url
    stop(process)


def test_a_network_that_is_trusted_needs_no_keys(trusting: str) -> None:
    assert httpx.get(f"{trusting}/v1/jobs").status_code == 200


def test_the_names_of_other_machines_are_refused_all_the_same(trusting: str) -> None:
    for headers in ({"Host": "example.org"}, {"Host": "10.0.0.1:8000"}, {"Origin": "http://a.b"}):
        assert httpx.get(f"{trusting}/v1/jobs", headers=headers).status_code == 403
