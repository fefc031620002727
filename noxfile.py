"""What is checked before a change lands: `nox` runs all of it, `nox -s NAME` one session."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|venv"
os.environ.setdefault("UV_SYSTEM_CERTS", "1")  # as pip does: some networks have their own
# Images of containers set it. Then each worker of each session compiles all tests, 5 s of CPU time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
nox.options.error_on_missing_interpreters = False


def _output(*command: str) -> list[str]:
    """The lines that a command prints; none where it fails."""
    if shutil.which(command[0]) is None:
        return []
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the commands stand in this file
    return done.stdout.split() if done.returncode == 0 else []


# pyenv has a python3.12 on the PATH that works only where its version is switched on.
if installed := _output("pyenv", "versions", "--bare"):
    os.environ["PYENV_VERSION"] = ":".join(reversed(installed))

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
SYSTEM = "/usr/bin/python3"
"""The system's own interpreter, which is often older than others of its minor version."""


def _pythons() -> list[str]:
    """The interpreters that are here, one of each version, the oldest first."""
    found = {
        each: f"python{each}" for each in SUPPORTED if _output(f"python{each}", "-c", "print(1)")
    }
    for version in _output(SYSTEM, "-c", "import sys; print(*sys.version_info[:2], sep='.')"):
        if version in SUPPORTED:
            found[version] = SYSTEM
    return [found[each] for each in SUPPORTED if each in found] or ["3"]


PYTHONS = _pythons()
"""Where none has a name with its version, the one that runs nox."""
# What fails on a version between the oldest and the newest alone is rare: `nox -s tests` tries all.
ENDS = [f"tests-{each}" for each in dict.fromkeys((PYTHONS[0], PYTHONS[-1]))]
nox.options.sessions = ["lint", "typing", *ENDS, "spawn", "service", "mcp", "readme"]

APART = tuple(
    word
    for name in ("readme", "service", "client", "agents", "containers", "pipelines")
    for word in ("--ignore", f"tests/{name}")
)
"""Tests that have sessions of their own."""
ON_EACH = (
    "tests/unit",
    "tests/integration/isolation",
    "tests/integration/run/test_lane.py",
    "tests/integration/run/test_supervisor.py",
    "tests/integration/run/test_run.py",
    "tests/integration/run/test_crash_isolation.py",
)
"""What may depend on the interpreter: how processes are made, ended and talked to."""
PARALLEL = ("-q", "-n", "3", "--dist", "worksteal")
"""Tests wait for processes much of the time."""
CHECKERS = ("mypy", "pyright")
ENGINES, PIPELINES = (
    sorted(path.parent.name for path in Path("examples", kind).glob("*/pyproject.toml"))
    for kind in ("engines", "pipelines")
)
EXTRAS = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]


def _install(session: nox.Session, *tools: str, program: str = ".") -> None:
    """Install the wheel of this program, and extras of tools that test it.

    What the program imports is compiled, as pip does it: tests start a thousand processes, and a
    child may not write into the environment. To compile the tools as well takes four times as long
    as all the rest; they compile themselves where they are imported first.
    """
    session.install(program, env={"UV_COMPILE_BYTECODE": "1"})
    session.install(*(each for extra in tools for each in EXTRAS[extra]))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, layers, docstrings."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")
    session.run("interrogate", "-q", "src")


@nox.session
def typing(session: nox.Session) -> None:
    """Types, by both checkers."""
    session.install("-e", ".[typing,test,service,cloud,mcp,otel,client,test-service]")
    with ThreadPoolExecutor() as checkers:  # each keeps one CPU busy
        for checked in [checkers.submit(session.run, each, silent=True) for each in CHECKERS]:
            checked.result()


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Tests against the built wheel: all on the newest interpreter, fewer on the older ones."""
    _install(session, "test")
    is_newest = session.python == PYTHONS[-1]
    chosen = (
        ["tests", "-m", "not spawn"] if is_newest else [*ON_EACH, "-m", "not slow and not spawn"]
    )
    session.run("pytest", *PARALLEL, *chosen, *APART, *session.posargs)


@nox.session
def spawn(session: nox.Session) -> None:
    """The fault suite where each child is spawned, as on systems without fork."""
    _install(session, "test")
    # What a child may open and write, and is believed of it, does not depend on how it began.
    chosen = ("tests/integration", "--ignore", "tests/integration/exchange")
    apart = ("-k", "not only_its_own_files and not without_the_sandbox")
    session.run("pytest", *PARALLEL, *chosen, *apart, "-m", "spawn and not slow")


@nox.session
def service(session: nox.Session) -> None:
    """The service, with a real Redis, API and workers on loopback, and its client."""
    _install(session, "test", "test-service", program=".[service,cloud,otel]")
    session.run("pytest", *PARALLEL, "tests/service", "tests/client", *session.posargs)


@nox.session
def tools(session: nox.Session) -> None:
    """Other tools read what is exported and loaded; they take gigabytes, so not by default."""
    _install(session, "test", "test-pipelines", program=".[parquet]")
    session.run("pytest", *PARALLEL, "tests/pipelines", *session.posargs)


@nox.session
def containers(session: nox.Session) -> None:
    """The stack of examples/deploy in docker or podman; takes minutes, so not by default."""
    session.install(".[test,service,cloud,test-service]", "podman-compose")
    session.env["PDFINGEST_TEST_CONTAINERS"] = "1"
    session.run("pytest", "-q", "tests/containers", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Make the lock files of the image anew; `-- --upgrade` takes the newest versions."""
    session.install("uv")
    target = ("--python-version", "3.13", "--python-platform", "linux")
    options = ("--quiet", "--generate-hashes", "--custom-compile-command", "nox -s lock")
    extras = tuple(
        word for each in ("service", "cloud", "ocr", "chunks") for word in ("--extra", each)
    )
    compile_ = ("uv", "pip", "compile", *target, *options, *session.posargs)
    folder = "examples/deploy"
    session.run(*compile_, *extras, "pyproject.toml", "-o", f"{folder}/requirements.lock")
    requires = nox.project.load_toml("pyproject.toml")["build-system"]["requires"]
    wanted = Path(session.create_tmp()) / "build.in"
    wanted.write_text("\n".join(requires))
    session.run(*compile_, "--no-annotate", str(wanted), "-o", f"{folder}/build.lock")


@nox.session
def mcp(session: nox.Session) -> None:
    """The server for agents, and a client by the SDK."""
    _install(session, "test", program=".[mcp]")
    session.run("pytest", *PARALLEL, "tests/agents", *session.posargs)


@nox.session
def readme(session: nox.Session) -> None:
    """What README and docs show: commands and their outputs, tables, links, pictures."""
    _install(session, "test", program=".[service]")
    session.install("./examples/engines/pdfminer", env={"UV_COMPILE_BYTECODE": "1"})
    session.run("pytest", *PARALLEL, "tests/readme")


@nox.session
@nox.parametrize("name", ENGINES, ids=ENGINES)
def engines(session: nox.Session, name: str) -> None:
    """An engine of examples/engines over the example files; some take gigabytes, so not by default.

    Each has an environment of its own, as their parsers want other versions of the same packages.
    """
    _test_example(session, f"examples/engines/{name}")


@nox.session
@nox.parametrize("name", PIPELINES, ids=PIPELINES)
def pipelines(session: nox.Session, name: str) -> None:
    """A pipeline of examples/pipelines over the example files; takes minutes, so not by default."""
    _test_example(session, f"examples/pipelines/{name}")


def _test_example(session: nox.Session, folder: str) -> None:
    """Install an example beside the program, and run the tests in its folder."""
    session.install(".", f"./{folder}", "pytest", env={"UV_COMPILE_BYTECODE": "1"})
    session.run("pytest", "-q", folder, *session.posargs)


@nox.session
def pictures(session: nox.Session) -> None:
    """Make the pictures of the README and the docs anew."""
    _install(session, "test")
    session.run("python", "docs/make_pictures.py")


@nox.session
def lowest(session: nox.Session) -> None:
    """The tests against the lowest versions that pyproject.toml allows."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    lower = [requirement.replace(">=", "==") for requirement in project["dependencies"]]
    session.install(".[test]", *lower, env={"UV_COMPILE_BYTECODE": "1"})
    session.run("pytest", *PARALLEL, *APART, *session.posargs)


@nox.session(python=PYTHONS[0])
def service_lowest(session: nox.Session) -> None:
    """The service on the oldest interpreter, with the lowest versions that it allows."""
    session.install(*map(_lowest, EXTRAS["service"]), ".[test,service,cloud,test-service]")
    session.run("pytest", *PARALLEL, "tests/service", "tests/client", *session.posargs)


def _lowest(requirement: str) -> str:
    """Return the lowest version that a requirement allows."""
    return re.sub(r">=([^,;]+)[^;]*", r"==\1", requirement)


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines the tests reach, the children's included."""
    session.install("-e", ".[test]")
    session.env["COVERAGE_PROCESS_START"] = str(Path("pyproject.toml").resolve())
    session.run("coverage", "run", "-m", "pytest", "-q", *APART)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session
def bench(session: nox.Session) -> None:
    """Speed and memory, beside peers; prints tables, judges nothing."""
    _install(session, "test")
    for script in sorted(Path("tests/benchmarks").glob("bench_*.py")):
        session.run("python", str(script), *session.posargs)
