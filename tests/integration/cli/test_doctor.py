"""`pdfingest doctor`: what is here, and whether a run could start."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import FAULTS, Cli, as_nobody_special, environment, make_pdf
from pdfingest import IngestOptions
from pdfingest.measure.machine import available_cpus
from pdfingest.measure.sizing import descriptors_for


def found(cli: Cli, *words: str | Path, code: int = 0, **options: Any) -> dict[str, Any]:
    """What the doctor finds, as JSON."""
    done = cli("doctor", "--json", *words, **options)
    assert done.returncode == code, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["can_run"] == (code == 0)
    problems = [each["problem"] for each in document.values() if isinstance(each, dict)]
    assert len(done.stderr.splitlines()) == len(list(filter(None, problems)))
    return document


def test_it_says_what_a_run_would_do(cli_here: Cli) -> None:
    document = found(cli_here)
    options = IngestOptions()
    assert document["lanes"]["workers"] == options.workers
    assert document["lanes"]["memory_limit_bytes"] == options.limits().memory_bytes
    assert document["cpus"]["available"] == available_cpus()
    assert document["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert document["configuration"] == ""
    engines = {each["name"]: each for each in document["engines"]["installed"]}
    assert [name for name, each in engines.items() if each["chosen"]] == ["pdfium", "pypdf"]
    assert "module_that_is_not_there" in engines["absent"]["problem"]
    assert [name for name, each in engines.items() if each["problem"]] == ["absent"]


def test_it_takes_the_words_of_a_run_and_starts_none(cli_here: Cli, pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    words = ["-w", "3", "--memory-budget", "1G", "--sandbox", "off"]
    document = found(cli_here, pdfs, "-o", out, *words, env={"PDFINGEST_ENGINE": "pypdf"})
    assert document["lanes"]["workers"] == 3
    assert document["lanes"]["memory_budget_bytes"] == 1 << 30
    assert document["sandbox"]["option"] == "off"
    assert document["output"]["path"] == str(out)
    engines = document["engines"]["installed"]
    assert [each["name"] for each in engines if each["chosen"]] == ["pypdf"]
    assert not out.exists()


def test_it_names_the_configuration_that_counts(cli_here: Cli, tmp_path: Path) -> None:
    path = tmp_path / "cwd" / "pdfingest.toml"
    path.write_text("workers = 5\n")
    document = found(cli_here)
    assert (document["configuration"], document["lanes"]["workers"]) == (str(path), 5)


def test_it_fits_into_a_terminal(cli_here: Cli) -> None:
    done = cli_here("doctor", "--engine", "absent", env={"COLUMNS": "80"})
    assert done.returncode == 4
    assert "\n            ! engine 'absent' cannot be imported" in done.stdout
    lines = done.stdout.splitlines()
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []
    names = {line[:12].strip() for line in lines} - {""}
    assert names == {
        "versions", "processes", "CPUs", "memory", "lanes", "descriptors", "sandbox", "engines",
        "OCR", "extras", "output", "encodings", "settings",
    }  # fmt: skip


def limited(name: str, value: int) -> Any:
    """What `ulimit` does."""
    resource = pytest.importorskip("resource")
    number = getattr(resource, name)
    return lambda: resource.setrlimit(number, (value, value))


def hide(module: str, folder: Path) -> dict[str, str]:
    """The environment of a program for which a module is not installed."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None\n")
    return {"PYTHONPATH": f"{folder}:{FAULTS}"}


@pytest.mark.parametrize(
    ("chosen", "fact", "problem", "way"),
    [
        ({"engine": "nonsuch"}, "engines", "engine 'nonsuch' is not installed", "flags"),
        ({"engine": "absent"}, "engines", "imported from module_that_is_not_there", "variables"),
        ({"output": "/dev/null"}, "output", "/dev/null is not a directory", "flags"),
        ({"output": "/dev/null/out"}, "output", "/dev/null is not a directory", "variables"),
        ({"html": ""}, "extras", "pip install 'pdfingest[report]'", "flags"),
        ({"html": ""}, "extras", "pip install 'pdfingest[report]'", "variables"),
        ({"on": "celery"}, "extras", "pip install 'pdfingest[service]'", "flags"),
        ({"workers": "64", "memory-budget": "64G"}, "descriptors", "ulimit -n 1064", "variables"),
    ],
    ids=str,
)
def test_what_would_stop_a_run_is_named_with_its_cure(
    cli: Cli, tmp_path: Path, chosen: dict[str, str], fact: str, problem: str, way: str
) -> None:
    module = {"html": "bokeh", "on": "celery"}.get(next(iter(chosen)), "nothing")
    env, words = hide(module, tmp_path / "hidden"), [str(make_pdf(tmp_path / "a.pdf"))]
    for name, value in chosen.items():
        if way == "variables":
            env[f"PDFINGEST_{name.replace('-', '_').upper()}"] = value or "1"
        else:
            words += [f"--{name}", *filter(None, [value])]
    options = {"env": env, "preexec_fn": limited("RLIMIT_NOFILE", 256)}
    document = found(cli, *words, code=4, **options)
    assert problem in document[fact]["problem"]
    facts = {name: each for name, each in document.items() if isinstance(each, dict)}
    assert [name for name, each in facts.items() if each["problem"]] == [fact]
    run = cli("run", *words, **options)
    assert run.returncode == 4, run.stderr
    assert not (tmp_path / "cwd" / "pdfingest-out" / "summary.json").exists()


def test_an_engine_that_kills_its_process_on_import_costs_nothing_else(
    cli: Cli, tmp_path: Path
) -> None:
    about = tmp_path / "cwd" / "deadly-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[pdfingest.engines]\ndeadly = deadly:open\n")
    (tmp_path / "cwd" / "deadly.py").write_text("import os\nos.abort()\n")
    problem = "engine 'deadly' kills its process by SIGABRT when it is imported."
    engines = {each["name"]: each for each in found(cli)["engines"]["installed"]}
    assert (engines["deadly"]["problem"], engines["pypdf"]["problem"]) == (problem, "")
    assert found(cli, "--engine", "deadly", code=4)["engines"]["problem"] == problem


def test_descriptors_that_are_needed_are_those_that_a_run_takes(cli: Cli) -> None:
    document = found(cli, "-w", "8", preexec_fn=limited("RLIMIT_NOFILE", 200))
    assert document["descriptors"] == {
        "needed": descriptors_for(8), "soft": 200, "hard": 200, "problem": "",
    }  # fmt: skip


def test_too_few_processes_are_named(cli: Cli) -> None:
    document = found(cli, "-w", "2", code=4, preexec_fn=limited("RLIMIT_NPROC", 5))
    assert document["processes"]["needed"] == 7
    assert document["processes"]["problem"].startswith("Raise the limit")


def test_an_output_that_cannot_be_written_is_named(out: Path) -> None:
    out.mkdir()
    out.chmod(0o555)
    command = [sys.executable, "-m", "pdfingest", "doctor", "-o", str(out / "deeper")]
    done = subprocess.run(
        [*as_nobody_special(), *command],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    out.chmod(0o755)
    assert done.returncode == 4
    assert f"could not start: {out} cannot be written." in done.stderr


@pytest.mark.parametrize(
    ("words", "env", "named"),
    [
        (["--workers", "0"], {}, "--workers"),
        ([], {"PDFINGEST_WORKERS": "0"}, "PDFINGEST_WORKERS in the environment"),
    ],
)
def test_options_that_cannot_be_are_a_usage_error(
    cli_here: Cli, words: list[str], env: dict[str, str], named: str
) -> None:
    done = cli_here("doctor", *words, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"pdfingest: {named}: must be from 1 to 512, not 0.\n"
