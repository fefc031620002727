"""The lock files of the image hold what pyproject.toml asks for, each package by its hash."""

import re
import tomllib
from collections.abc import Iterator

import pytest

from conftest import ROOT

packaging = pytest.importorskip("packaging.requirements")

DEPLOY = ROOT / "examples" / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = ("service", "cloud", "ocr", "chunks")
"""What the image has; `nox -s lock` locks the same."""


def locked(name: str) -> dict[str, str]:
    """The versions of a lock file, by the names of packages."""
    text = (DEPLOY / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))


def wanted() -> Iterator[tuple[str, str]]:
    """Requirements, and the lock files that must satisfy them."""
    project = PROJECT["project"]
    for each in (*project["dependencies"], *(r for e in EXTRAS for r in extra(e))):
        yield "requirements.lock", each
    for each in PROJECT["build-system"]["requires"]:
        yield "build.lock", each


def extra(name: str) -> list[str]:
    """The requirements of an extra."""
    found: list[str] = PROJECT["project"]["optional-dependencies"][name]
    return found


def short(text: str) -> str:
    """The name of a case."""
    return re.split(r"[>\[]", text)[0]


@pytest.mark.parametrize(("lock", "text"), list(wanted()), ids=short)
def test_a_requirement_is_satisfied(lock: str, text: str) -> None:
    requirement = packaging.Requirement(text)
    version = locked(lock).get(re.sub(r"[-_.]+", "-", requirement.name.lower()))
    assert version, f"{requirement.name} is not in {lock}: nox -s lock"
    assert requirement.specifier.contains(version), f"{requirement.name} {version}: nox -s lock"


@pytest.mark.parametrize("lock", ["requirements.lock", "build.lock"])
def test_each_package_has_hashes(lock: str) -> None:
    text = (DEPLOY / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked(lock)) > 0
    assert all("--hash=sha256:" in each for each in entries)


def test_the_image_takes_nothing_but_what_is_locked() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"uv (?:pip install|build) [^&\n]*", dockerfile)
    assert len(installs) == 3
    assert all("--require-hashes" in each or "--no-deps" in each for each in installs)
