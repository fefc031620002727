"""Containers, by docker or podman: what a test does with the Compose file of examples/deploy."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import FAULTS, ROOT

DEPLOY = ROOT / "examples" / "deploy"
IMAGE = "pdfingest:0.1.0"
"""As the Compose file names it."""
GRACE_S = 10
"""Seconds between SIGTERM and SIGKILL on Cloud Run, and by default in Docker."""
_SECONDS = 900
"""For a command; the first build is the longest."""


def _succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def find_engine() -> tuple[str, tuple[str, ...]] | None:
    """The program that runs containers, and the words of its Compose; None where there is none."""
    if _succeeds("docker", "info") and _succeeds("docker", "compose", "version"):
        return "docker", ("docker", "compose")
    if _succeeds("podman", "info") and _succeeds("podman-compose", "--version"):
        return "podman", ("podman-compose",)
    return None


@dataclass(frozen=True)
class Engine:
    """The program that runs containers."""

    name: str
    compose: tuple[str, ...]

    def __call__(self, *words: str, check: bool = True, **options: Any) -> str:
        """What a command prints."""
        return run([self.name, *words], check=check, **options)

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows of a container."""
        found: list[dict[str, Any]] = json.loads(self("container", "inspect", container))
        return found[0]

    def stop(self, container: str, grace_s: int) -> float:
        """Send SIGTERM, and SIGKILL after the grace; returns the seconds until it ended."""
        began_s = time.monotonic()
        self("stop", "--time", str(grace_s), container)
        return time.monotonic() - began_s

    def logs(self, container: str) -> str:
        """What a container has said on both streams."""
        done = subprocess.run(
            [self.name, "logs", container],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout


def run(command: Sequence[str], *, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; its complaints are in the failure."""
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        cwd=DEPLOY,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


OVERRIDE = """
services:
  api: &faulty
    environment: {{PYTHONPATH: /faults, PDFINGEST_ENGINE: "{engine}", PDFINGEST_LEASE: "5"}}
    volumes: ["{faults}:/faults:ro"]
  worker:
    environment:
      PYTHONPATH: /faults
      PDFINGEST_ENGINE: "{engine}"
      PDFINGEST_LEASE: "5"
      PDFINGEST_LANES: "{lanes}"
      PDFINGEST_MEMORY_BUDGET: "{budget}"
    volumes: ["{faults}:/faults:ro"]
    mem_limit: {memory}
    memswap_limit: {memory}
"""
"""Laid over the Compose file: engines that fail on demand, and other sizes of a worker."""


@dataclass
class Stack:
    """The Compose file under a name and a port of its own."""

    engine: Engine
    project: str
    port: int
    folder: Path
    """Where the override is written, and the folder `pdfs` that the workers see."""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://localhost:{self.port}"

    def configure(
        self, *, engine: str = "auto", lanes: str = "2", budget: str = "2G", memory: str = "2368m"
    ) -> None:
        """Write the override; counts from the next `up`."""
        text = OVERRIDE.format(
            faults=FAULTS, engine=engine, lanes=lanes, budget=budget, memory=memory
        )
        (self.folder / "override.yml").write_text(text)

    def compose(self, *words: str, check: bool = True) -> str:
        """What Compose prints."""
        files = ("-f", str(DEPLOY / "docker-compose.yml"), "-f", str(self.folder / "override.yml"))
        env = {"PORT": str(self.port), "PDFS": str(self.folder / "pdfs")}
        command = [*self.engine.compose, "-p", self.project, *files, *words]
        return run(command, check=check, env=env)

    def up(self, workers: int = 1) -> None:
        """Start what is not running."""
        self.compose("up", "--detach", "--no-build", "--scale", f"worker={workers}")

    def down(self) -> None:
        """Stop and remove all, the volumes too."""
        for container in self.containers():  # podman-compose forgets those that were scaled
            self.engine("rm", "--force", "--volumes", container, check=False)
        self.compose("down", "--volumes", check=False)

    def containers(self, service: str = "") -> list[str]:
        """Ids of the containers that are running, of one service or of all; the oldest first."""
        labels = [f"com.docker.compose.project={self.project}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        found = self.engine("ps", "--quiet", "--no-trunc", *filters).split()
        return sorted(found, key=lambda each: str(self.engine.inspect(each)["Created"]))
