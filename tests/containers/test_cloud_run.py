"""What Cloud Run asks of a container, as far as any engine can show it.

A port from PORT, on all addresses; SIGTERM, and 10 s later SIGKILL; nothing written outside the
volumes. The words are those of cloud-run.md.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from conftest import wait_for

from .conftest import answers, free_port
from .engine import DEPLOY, GRACE_S, IMAGE, Engine

Start = Callable[..., str]


def words(name: str) -> list[str]:
    """The arguments of the program, as the guide deploys this part."""
    text = (DEPLOY / "cloud-run.md").read_text().replace("\\\n", " ")
    (command,) = re.findall(rf"^gcloud .*deploy {name} .*$", text, re.MULTILINE)
    (found,) = re.findall(r"--args=(\S+)", command)
    return str(found).split(",")


@pytest.fixture
def begin(engine: Engine, image: None, tmp_path: Path) -> Iterator[Start]:  # noqa: ARG001 - built
    """Starts containers as Cloud Run does, on a network with a Redis."""
    network = f"pdfingest-{free_port()}"
    engine("network", "create", network)
    started: list[str] = []

    def start(image: str, *words: str, options: tuple[str, ...] = ()) -> str:
        command = ("run", "--detach", "--network", network, *options, image, *words)
        started.append(engine(*command).split()[-1])
        return started[-1]

    alias = ("--network-alias", "redis", "--label", f"network={network}")
    start("redis:8-alpine", "redis-server", options=alias)
    yield start
    for container in started:
        print(engine.logs(container)[-2000:])
        engine("rm", "--force", "--volumes", container)
    engine("network", "rm", network)


def redis_of(engine: Engine, container: str) -> str:
    """The Redis on the network of a container."""
    (network,) = engine.inspect(container)["NetworkSettings"]["Networks"]
    return engine("ps", "--quiet", "--filter", f"label=network={network}").strip()


def deployed(name: str, *more: str) -> tuple[str, ...]:
    """Options of a container: a root that is read-only, and what the guide sets."""
    options = ["--read-only", "--cap-drop", "ALL", "--tmpfs", "/scratch:mode=1777", *more]
    keys = "/tmp/api-keys" if name == "pdfingest-api" else ""
    variables = {
        "PORT": "8000",
        "TMPDIR": "/scratch",
        "PDFINGEST_REDIS_URL": "redis://redis:6379/0",
        "PDFINGEST_STORE": "/scratch/store",
        "PDFINGEST_API_KEYS_FILE": keys,
        "PDFINGEST_LANES": "2",
        "PDFINGEST_MEMORY_BUDGET": "1G",
    }
    return (*options, *(word for pair in variables.items() for word in ("--env", "=".join(pair))))


def test_the_api_listens_on_the_port_and_ends_in_time(
    engine: Engine, begin: Start, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"me:{'0' * 64}\n")
    keys.chmod(0o644)
    port = free_port()
    shared = ("--volume", f"{keys}:/tmp/api-keys:ro", "--publish", f"127.0.0.1:{port}:8000")
    api = begin(IMAGE, *words("pdfingest-api"), options=deployed("pdfingest-api", *shared))
    wait_for(lambda: answers(f"http://127.0.0.1:{port}"), 60)
    assert httpx.get(f"http://127.0.0.1:{port}/v1/jobs").status_code == 401
    seconds = engine.stop(api, GRACE_S)
    code = engine.inspect(api)["State"]["ExitCode"]
    print(f"the API ended {seconds:.1f} s after SIGTERM, with {code}")
    assert code in {0, 143}
    assert seconds < GRACE_S


def test_a_worker_ends_in_time(engine: Engine, begin: Start) -> None:
    worker = begin(IMAGE, *words("pdfingest-worker"), options=deployed("pdfingest-worker"))
    clients = ("exec", redis_of(engine, worker), "redis-cli", "client", "list")
    wait_for(lambda: "cmd=brpop" in engine(*clients), 60)  # it waits for messages
    seconds = engine.stop(worker, GRACE_S)
    code = engine.inspect(worker)["State"]["ExitCode"]
    print(f"the worker ended {seconds:.1f} s after SIGTERM, with {code}")
    assert code in {0, 143}
    assert seconds < GRACE_S


def test_a_root_that_is_read_only_is_enough_for_a_run(engine: Engine, begin: Start) -> None:
    pdfs = ("--volume", f"{DEPLOY.parent / 'pdfs'}:/pdfs:ro")
    command = ("run", "/pdfs", "--output", "/scratch/out", "--sandbox", "auto")
    run = begin(IMAGE, *command, options=deployed("pdfingest", *pdfs))
    assert engine("wait", run).split()[-1] == "0", engine.logs(run)


def test_a_folder_that_may_not_be_searched_is_no_error(engine: Engine, begin: Start) -> None:
    pdfs = ("--volume", f"{DEPLOY.parent / 'pdfs'}:/pdfs:ro", "--user", "12345:12345")
    command = ("run", "/pdfs", "--output", "/scratch/out")
    run = begin(IMAGE, *command, options=deployed("pdfingest", *pdfs))  # in /data, which is closed
    assert engine("wait", run).split()[-1] == "0", engine.logs(run)
