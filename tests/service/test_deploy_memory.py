"""Memory and disk in examples/deploy hold what is counted: children, uploads, jobs in Redis."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import settings_in
from .deployment import (
    COMPOSE,
    CONTAINERS,
    DEPLOY,
    GCLOUD,
    MANIFESTS,
    PODS,
    gcloud_environment,
    size,
)

PARENT = 256 << 20
"""Bytes for the parent and for the image of its children."""
JOB_BYTES = 3700
"""What a job costs in Redis."""


def test_the_memory_of_a_compose_worker_holds_its_budget_its_parent_and_tmp() -> None:
    worker = COMPOSE["services"]["worker"]
    (tmp,) = re.findall(r"size=(\d+m)", worker["tmpfs"][0])
    budget = size(worker["environment"]["PDFINGEST_MEMORY_BUDGET"])
    assert size(worker["mem_limit"]) >= budget + PARENT + size(tmp)


@pytest.mark.parametrize(("pod", "container"), list(zip(PODS, CONTAINERS, strict=True)))
def test_the_memory_of_a_pod_holds_its_budget_its_parent_and_tmp(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    given = {e["name"]: e.get("value") for e in container["env"]}
    budget = given.get("PDFINGEST_MEMORY_BUDGET", "0")  # the API has no children
    (tmp,) = [volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume]
    assert size(container["resources"]["limits"]["memory"]) >= size(budget) + PARENT + size(tmp)


@pytest.mark.parametrize("command", GCLOUD, ids=lambda text: text.split()[3])
def test_memory_and_disk_on_cloud_run_hold_what_is_counted(command: str) -> None:
    (memory,) = re.findall(r"--memory (\S+)", command)
    (disk,) = re.findall(r"type=ephemeral-disk,size=(\S+)", command)
    (folder,) = re.findall(r"volume=scratch,mount-path=(\S+)", command)
    given = gcloud_environment(command)
    assert size(memory) >= size(given.get("PDFINGEST_MEMORY_BUDGET", "0")) + PARENT
    if "deploy pdfingest " in command:  # the others say where they write on their own
        assert folder in command.rpartition("--args")[2] or given["TMPDIR"] == folder
    else:
        assert given["TMPDIR"] == folder
    lanes = int(given.get("PDFINGEST_LANES", 0))
    needed = lanes * (size("1G") + size(given.get("PDFINGEST_MAX_OUTPUT", "1G")))
    if "PDFINGEST_MAX_UPLOAD" in given:
        (uploads,) = re.findall(r"--concurrency (\d+)", command)
        needed += int(uploads) * size(given["PDFINGEST_MAX_UPLOAD"])
    assert size(disk) >= needed


def redis_sizes() -> Iterator[Any]:
    """Settings of the jobs, and what Redis may have: for its data, and in all."""
    redis = COMPOSE["services"]["redis"]
    command = " ".join(redis["command"])
    (most,) = re.findall(r"--maxmemory (\S+)b", command)
    yield pytest.param(
        COMPOSE["services"]["api"]["environment"], most, redis["mem_limit"], id="compose"
    )
    (kept,) = [each for each in MANIFESTS if each["kind"] == "StatefulSet"]
    container = kept["spec"]["template"]["spec"]["containers"][0]
    (most,) = re.findall(r"--maxmemory (\S+)b", " ".join(container["args"]))
    for each in CONTAINERS:
        given = {e["name"]: e.get("value", "") for e in each["env"]}
        if "PDFINGEST_REDIS_URL" in given:
            limit = container["resources"]["limits"]["memory"]
            yield pytest.param(given, most, limit, id=f"kubernetes-{each['name']}")
    guide = (DEPLOY / "cloud-run.md").read_text()
    (most,) = re.findall(r"maxmemory-gb=(\d+)", guide)
    (whole,) = re.findall(r"redis instances create .*?--size (\d+)", guide, re.DOTALL)
    for command in GCLOUD:
        given = gcloud_environment(command)
        if "PDFINGEST_REDIS_URL" in given:
            yield pytest.param(given, f"{most}G", f"{whole}G", id=command.split()[3])


@pytest.mark.parametrize(("given", "most", "limit"), list(redis_sizes()))
def test_redis_holds_the_jobs_that_are_kept(given: dict[str, str], most: str, limit: str) -> None:
    settings = settings_in({k: v for k, v in given.items() if k.startswith("PDFINGEST_")})
    assert settings.rate * settings.keep / 60 * JOB_BYTES <= size(most)
    assert 2 * size(most) <= size(limit), "a fork that rewrites the file may need as much again"


def test_the_table_of_redis_is_the_arithmetic() -> None:
    text = (DEPLOY / "README.md").read_text()
    row = r"^\| ([\d,]+) a minute \| (\d+) (hour|day)s? \| ([\d,]+) \| (\S+) (MB|GB) \|"
    rows = re.findall(row, text, re.MULTILINE)
    assert len(rows) == 4
    for rate, count, unit, jobs, shown, scale in rows:
        expected = int(rate.replace(",", "")) * int(count) * {"hour": 60, "day": 1440}[unit]
        assert int(jobs.replace(",", "")) == expected
        in_bytes = float(shown) * {"MB": 1e6, "GB": 1e9}[scale]
        assert abs(in_bytes / (expected * JOB_BYTES) - 1) < 0.02
