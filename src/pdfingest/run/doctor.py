"""What this machine and this installation can do, and whether a run could start here.

Owns the questions; the facts are those of the modules that a run asks, so that both say the same.
"""

import locale
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import pdfingest
from pdfingest import streams
from pdfingest.child.sandbox import confine
from pdfingest.engines.registry import find_engines, known_engines
from pdfingest.errors import EngineUnavailableError, PdfingestError
from pdfingest.isolation.start import forks
from pdfingest.measure import machine
from pdfingest.measure.machine import Bound
from pdfingest.measure.sizing import descriptors_for
from pdfingest.model import EngineSpec, Sandbox
from pdfingest.options import IngestOptions
from pdfingest.text import mib

EXTRAS = {"report": "bokeh", "service": "celery", "cloud": "obstore"}
"""The extras of the package, each with a module that only it brings."""
_IMPORT_S = 20.0
"""How long the import of an engine may take."""
_PROCESSES = 3
"""The parent, the image, and the child that waits; each lane has a child and a thread."""
_LEAST_FREE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was looked at."""

    name: str
    said: str
    """For people."""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    """For programs."""
    problem: str = ""
    """Why a run could not start, and what to do; empty if it could."""


def examine(options: IngestOptions, extras: Collection[str] = ()) -> Iterator[Fact]:
    """Look at all that a run with these options needs.

    Args:
        options: of the run.
        extras: of the package that the run needs.
    """
    yield _python()
    yield _processes(options)
    yield _cpus()
    yield _memory()
    yield _lanes(options)
    yield _descriptors(options)
    yield _sandbox(options)
    yield _engines(options)
    yield _extras(extras)
    yield _output(options)
    yield _text()


def _python() -> Fact:
    """Name the versions of this program, of Python and of the system."""
    data = {
        "pdfingest": pdfingest.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
    }
    said = "pdfingest {pdfingest}, Python {python} ({executable}), {platform}"
    return Fact("versions", said.format(**data), data)


def _processes(options: IngestOptions) -> Fact:
    """Tell how children are made, and how many processes and threads there may be."""
    way = "forks of an image" if forks() else "spawned, as this system has no fork"
    needed = _PROCESSES + 2 * options.workers
    bounds = machine.process_bounds()
    data = {"way": "fork" if forks() else "spawn", "needed": needed, "limits": _data(bounds)}
    problem = ""
    if bounds and min(bound.value for bound in bounds) < needed:
        problem = "Raise the limit, or use fewer --workers."
    return Fact("processes", f"{way}; {needed} needed, {_said(bounds)}", data, problem)


def _cpus() -> Fact:
    """Tell how many CPUs there are for this process, and why."""
    bounds = machine.cpu_bounds()
    count = machine.available_cpus()
    return Fact("CPUs", f"{count}: {_said(bounds)}", {"available": count, "limits": _data(bounds)})


def _memory() -> Fact:
    """Tell how much memory there is for this process and its children, and why."""
    bounds = machine.memory_bounds()
    limits = "; ".join(f"{mib(bound.value)} by {bound.source}" for bound in bounds)
    available = machine.available_memory()
    data = {"available_bytes": available, "limits": _data(bounds)}
    return Fact("memory", f"{mib(available)}: {limits}", data)


def _lanes(options: IngestOptions) -> Fact:
    """Tell how many children there would be, and what each may take."""
    limit, budget = options.limits().memory_bytes, options.budget_bytes()
    data = {
        "workers": options.workers,
        "memory_limit_bytes": limit,
        "memory_budget_bytes": budget,
    }
    said = f"{options.workers}, each with {mib(limit)} of a budget of {mib(budget)}"
    return Fact("lanes", said, data)


def _descriptors(options: IngestOptions) -> Fact:
    """Tell how many descriptors there may be, and how many are needed."""
    soft, hard = machine.descriptor_limits()
    needed = descriptors_for(options.workers)
    problem = ""
    if needed > hard:
        problem = f"Raise the limit (ulimit -n {needed}), or use fewer --workers."
    said = f"{needed:,} needed, {soft:,} allowed, {hard:,} at most"
    return Fact("descriptors", said, {"needed": needed, "soft": soft, "hard": hard}, problem)


def _sandbox(options: IngestOptions) -> Fact:
    """Tell what of the sandbox there is."""
    missing = confine.missing_parts()
    data: dict[str, Any] = {"option": options.sandbox, "missing": missing, "landlock_version": 0}
    if sys.platform == "linux":
        from pdfingest.child.sandbox import landlock  # noqa: PLC0415 - needs Linux

        with suppress(OSError):
            data["landlock_version"] = landlock.version()
    parts = "; ".join(missing) or f"whole, with Landlock {data['landlock_version']} and seccomp"
    problem = ""
    if missing and options.sandbox is Sandbox.REQUIRE:
        problem = "Use --sandbox auto, which leaves out what is missing, or --sandbox off."
    return Fact("sandbox", f"{options.sandbox}; {parts}", data, problem)


def _engines(options: IngestOptions) -> Fact:
    """Import every engine that is installed, each in a process of its own."""
    problem = ""
    chosen: tuple[EngineSpec, ...] = ()
    try:
        chosen = find_engines(options.engine)
    except PdfingestError as error:
        problem = str(error)
    specs: list[EngineSpec] = []
    for name in known_engines():
        with suppress(EngineUnavailableError):
            specs += find_engines(name)
    wrong = _import_all(specs)
    for spec in chosen:
        problem = problem or wrong[spec.name]
    said = ", ".join(
        f"{spec.name} {spec.version}{' (cannot be imported)' * bool(wrong[spec.name])}"
        for spec in specs
    )
    data = [
        {
            "name": spec.name,
            "version": spec.version,
            "target": spec.target,
            "chosen": spec in chosen,
            "problem": wrong[spec.name],
        }
        for spec in specs
    ]
    return Fact("engines", f"{options.engine}, of {said}", {"installed": data}, problem)


def _import_all(specs: Sequence[EngineSpec]) -> dict[str, str]:
    """Import engines side by side; gives what is wrong with each, or nothing, by its name."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "pdfingest.engines.probe"]
    wrong: dict[str, str] = {}
    started: list[tuple[EngineSpec, subprocess.Popen[str]]] = []
    for spec in specs:
        try:
            process = subprocess.Popen(  # noqa: S603 - this program
                [*command, spec.name, spec.target, spec.version],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError as error:
            wrong[spec.name] = f"no process can be had for it: {error.strerror}."
        else:
            started.append((spec, process))
    return wrong | {spec.name: _ending(spec, process) for spec, process in started}


def _ending(spec: EngineSpec, process: "subprocess.Popen[str]") -> str:
    """Wait for an import; gives what is wrong with it, or nothing."""
    try:
        _, stderr = process.communicate(timeout=_IMPORT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"engine {spec.name!r} cannot be imported: it takes more than {_IMPORT_S:g} s."
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        return f"engine {spec.name!r} kills its process by {name} when it is imported."
    return stderr.strip() if process.returncode else ""


def _extras(needed: Collection[str]) -> Fact:
    """Tell which extras of the package are installed."""
    installed = {name: find_spec(module) is not None for name, module in EXTRAS.items()}
    missing = [name for name in needed if not installed[name]]
    problem = f"Run: pip install 'pdfingest[{','.join(missing)}]'" if missing else ""
    said = ", ".join(f"{name} {'yes' if found else 'no'}" for name, found in installed.items())
    return Fact("extras", said, {**installed}, problem)


def _output(options: IngestOptions) -> Fact:
    """Tell whether the output can be written, and how much room there is for it."""
    if options.to_stdout:
        try:
            streams.stdout()
        except PdfingestError as error:
            return Fact("output", "stdout", {"path": "-", "free_bytes": 0}, str(error))
    folder = tempfile.gettempdir() if options.to_stdout else os.path.abspath(options.folder)
    found = _nearest(folder)
    free = shutil.disk_usage(found).free
    problem = ""
    if not os.path.isdir(found):
        problem = f"{found} is not a directory. Name another --output."
    elif not os.access(found, os.W_OK | os.X_OK):
        problem = f"{found} cannot be written. Check its permissions, or name another --output."
    elif free < _LEAST_FREE_BYTES:
        problem = f"{found} has too little room. Free some space, or name another --output."
    where = f"stdout, with spools in {folder}" if options.to_stdout else folder
    state = "" if found == folder else ", which will be made"
    data = {"path": options.output, "exists": found == folder, "free_bytes": free}
    return Fact("output", f"{where}{state}; {mib(free)} free", data, problem)


def _nearest(path: str) -> str:
    """Find what there is of a path."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def _text() -> Fact:
    """Tell which characters can be written where."""
    data = {
        "stdout": sys.stdout.encoding,
        "file_names": sys.getfilesystemencoding(),
        "locale": ".".join(filter(None, locale.getlocale())) or "C",
    }
    said = "{stdout} on stdout, {file_names} in names of files, locale {locale}"
    return Fact("encodings", said.format(**data), data)


def _said(bounds: Iterable[Bound]) -> str:
    """Bounds for people."""
    return "; ".join(f"{bound.value:,.12g} by {bound.source}" for bound in bounds) or "no limit"


def _data(bounds: Iterable[Bound]) -> list[dict[str, Any]]:
    """Bounds for programs."""
    return [{"value": bound.value, "source": bound.source} for bound in bounds]
