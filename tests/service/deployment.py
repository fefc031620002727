"""What the files in examples/deploy say, for the tests of them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, environment
from pdfingest.text import parse_size

yaml = pytest.importorskip("yaml")

DEPLOY = ROOT / "examples" / "deploy"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
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


CHOSEN = {"$BUCKET": "my-bucket", "$REDIS_URL": "redis://10.0.0.3:6379/0"}
"""What the reader of a command is to choose."""


def size(text: str) -> int:
    """Bytes, as Compose, Kubernetes or Google write them."""
    return parse_size(text.rstrip("i"))


def gcloud_environment(command: str) -> dict[str, str]:
    """The variables that a command sets."""
    for name, value in CHOSEN.items():
        command = command.replace(name, value)
    found = re.findall(r"--set-env-vars \"?([^\"\s]+)", command)
    return dict(pair.split("=", 1) for each in found for pair in each.split(","))


def bash(script: str, cwd: Path, *options: str, **variables: str) -> str:
    """What a script prints."""
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
