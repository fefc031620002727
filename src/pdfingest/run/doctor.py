"""What this machine and this installation can do, and whether a run could start here.

Owns the questions. The answers come from the modules that a run asks, so that both say the same.
"""

import locale
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import pdfingest
from pdfingest import streams
from pdfingest.child.sandbox import confine
from pdfingest.engines.registry import find_engines, known_engines
from pdfingest.errors import EngineUnavailableError, PdfingestError
from pdfingest.isolation.contents import NO_MODELS
from pdfingest.isolation.start import WARM_UP, forks, is_on
from pdfingest.job import EngineSpec, Sandbox
from pdfingest.measure import machine
from pdfingest.measure.machine import Bound
from pdfingest.measure.sizing import descriptors_for
from pdfingest.ocr.registry import find_ocr, known_ocr, load_ocr
from pdfingest.options import IngestOptions
from pdfingest.run.tools import find_tools, with_image
from pdfingest.run.trial import trial
from pdfingest.stop import Stop
from pdfingest.text import mib

if sys.platform == "linux":
    from pdfingest.child.sandbox import landlock

EXTRAS = {
    "report": "bokeh", "ocr": "tesserocr", "chunks": "semantic_text_splitter", "mcp": "mcp",
    "parquet": "pyarrow", "cloud": "obstore", "service": "celery",
}  # fmt: skip
"""The extras of the package, each with a module that only it brings."""
_IMPORT_S = 20.0
"""How long the import of an engine may take."""
_PROCESSES = 3
"""The parent, the image, and the child that waits; each lane adds a child and a thread."""
_LEAST_FREE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was examined."""

    name: str
    said: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    """What `said` tells people, for programs."""
    problem: str = ""
    """Why a run could not start, and what to do; empty if it could."""


def examine(options: IngestOptions, extras: Collection[str] = ()) -> Iterator[Fact]:
    """Examine all that a run needs, and yield each fact as it is found.

    Args:
        options: options of the run.
        extras: extras of the package that the run needs.
    """
    yield _versions()
    yield _processes(options)
    yield _cpus()
    yield _memory()
    yield _lanes(options)
    yield _descriptors(options)
    yield _sandbox(options)
    yield _engines(options)
    yield _ocr(options)
    if (image := _image(options)) is not None:
        yield image
    yield _extras(extras)
    yield _output(options)
    yield _encodings()


def _versions() -> Fact:
    data = {
        "pdfingest": pdfingest.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
    }
    said = "pdfingest {pdfingest}, Python {python} ({executable}), {platform}"
    return Fact("versions", said.format(**data), data)


def _processes(options: IngestOptions) -> Fact:
    """Report how children are made, and how many processes and threads there may be."""
    way, said = ("fork", "forks of an image") if forks() else ("spawn", "spawned, one by one")
    if forks() and not is_on(WARM_UP):
        way, said = "plain fork", f"{said} that is not warmed up"
    needed = _PROCESSES + 2 * options.workers
    bounds = machine.process_bounds()
    short = any(bound.value < needed for bound in bounds)
    data = {"way": way, "needed": needed, "limits": [each._asdict() for each in bounds]}
    problem = "Raise the limit, or use fewer --workers." * short
    return Fact("processes", f"{said}; {needed} needed, {_said(bounds)}", data, problem)


def _cpus() -> Fact:
    bounds, count = machine.cpu_bounds(), machine.available_cpus()
    data = {"available": count, "limits": [each._asdict() for each in bounds]}
    return Fact("CPUs", f"{count}: {_said(bounds)}", data)


def _memory() -> Fact:
    bounds, available = machine.memory_bounds(), machine.available_memory()
    limits = "; ".join(f"{mib(bound.value)} by {bound.source}" for bound in bounds)
    data = {"available_bytes": available, "limits": [each._asdict() for each in bounds]}
    return Fact("memory", f"{mib(available)}: {limits}", data)


def _lanes(options: IngestOptions) -> Fact:
    """Report how many children work at a time, and how much memory each may use."""
    count, limit, budget = options.workers, options.limits().memory_bytes, options.budget_bytes()
    data = {"workers": count, "memory_limit_bytes": limit, "memory_budget_bytes": budget}
    return Fact("lanes", f"{count}, each with {mib(limit)} of a budget of {mib(budget)}", data)


def _descriptors(options: IngestOptions) -> Fact:
    soft, hard = machine.descriptor_limits()
    needed = descriptors_for(options.workers)
    problem = f"Raise the limit (ulimit -n {needed}), or use fewer --workers." * (needed > hard)
    said = f"{needed:,} needed, {soft:,} allowed, {hard:,} at most"
    return Fact("descriptors", said, {"needed": needed, "soft": soft, "hard": hard}, problem)


def _sandbox(options: IngestOptions) -> Fact:
    missing = confine.missing_parts()
    version = 0
    if sys.platform == "linux":
        with suppress(OSError):
            version = landlock.version()
    parts = "; ".join(missing) or f"whole, with Landlock {version} and seccomp"
    problem = ""
    if missing and options.sandbox is Sandbox.REQUIRE:
        problem = "Use --sandbox auto, which leaves out what is missing, or --sandbox off."
    data = {"option": options.sandbox, "missing": missing, "landlock_version": version}
    return Fact("sandbox", f"{options.sandbox}; {parts}", data, problem)


def _engines(options: IngestOptions) -> Fact:
    chosen: tuple[EngineSpec, ...] = ()
    problem = ""
    try:
        chosen = find_engines(options.engine)
    except PdfingestError as error:
        problem = str(error)
    specs: list[EngineSpec] = []
    for name in known_engines():
        with suppress(EngineUnavailableError):
            specs += find_engines(name)
    # All at a time, each in a process of its own: an import takes long, and may end its process.
    imports = {spec.name: _begin_import(spec) for spec in specs}
    wrong = {name: _end_import(name, process) for name, process in imports.items()}
    for spec in chosen:
        problem = problem or wrong[spec.name]
    said = ", ".join(
        f"{spec.name} {spec.version}{' (cannot be imported)' * bool(wrong[spec.name])}"
        for spec in specs
    )
    data = [spec._asdict() | {"needs": spec.needs._asdict()} for spec in specs]
    for fact, spec in zip(data, specs, strict=True):
        fact.update(chosen=spec in chosen, problem=wrong[spec.name])
    return Fact("engines", f"{options.engine}, of {said}", {"installed": data}, problem)


def _begin_import(spec: EngineSpec) -> "subprocess.Popen[str] | str":
    """Start a process that imports an engine, or return why there is none."""
    command = [sys.executable, "-m", "pdfingest.engines.probe"]
    try:
        return subprocess.Popen(  # noqa: S603 - this program
            [*command, spec.name, spec.target, spec.version],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return f"no process can be started to import it: {error.strerror}."


def _end_import(name: str, process: "subprocess.Popen[str] | str") -> str:
    """Wait for the import of an engine, and return what is wrong with it, or nothing."""
    if isinstance(process, str):
        return process
    try:
        _, stderr = process.communicate(timeout=_IMPORT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"engine {name!r} cannot be imported: it takes more than {_IMPORT_S:g} s."
    if process.returncode < 0:
        signal_name = signal.Signals(-process.returncode).name
        return f"engine {name!r} kills its process by {signal_name} when it is imported."
    return stderr.strip() if process.returncode else ""


def _ocr(options: IngestOptions) -> Fact:
    """Report which languages OCR can read, for all its engines that are here."""
    problem = ""
    installed: dict[str, list[str]] = {}
    for name in known_ocr():
        with suppress(EngineUnavailableError):
            installed[name] = sorted(load_ocr(find_ocr(name)).languages())
    if options.has_ocr:
        try:
            find_tools(options)
        except PdfingestError as error:
            problem = str(error)
    said = "; ".join(f"{name} reads {', '.join(each)}" for name, each in installed.items())
    data = {"option": options.ocr, "installed": installed}
    return Fact("OCR", f"{options.ocr}; {said or 'no engine is installed'}", data, problem)


def _image(options: IngestOptions) -> Fact | None:
    """Report what an image with models takes, and what a file read by it; None if there is none."""
    try:
        tools = find_tools(options)
    except PdfingestError:
        return None  # others have told it
    try:
        made = with_image(tools, Stop()).image
        if made == NO_MODELS:
            return None
        outcome = trial(options).outcome
    except PdfingestError as error:
        return Fact("image", "not made", problem=str(error))
    cost, private = outcome.cost, outcome.cost.peak.private_peak_bytes
    file = {"status": outcome.status, "wall_s": cost.wall_s, "private_peak_bytes": private}
    said = (
        f"{mib(made.private_bytes)}, loaded in {made.seconds:.1f} s; a file of two pages takes "
        f"{cost.wall_s:.2f} s and {mib(private)} beyond it"
    )
    problem = ""
    if outcome.failure:
        problem = f"A small file cannot be read ({outcome.failure}): {outcome.message}"
    return Fact("image", said, {**made._asdict(), "file": file}, problem)


def _extras(needed: Collection[str]) -> Fact:
    installed = {name: find_spec(module) is not None for name, module in EXTRAS.items()}
    missing = [name for name in needed if not installed[name]]
    problem = f"Run: pip install 'pdfingest[{','.join(missing)}]'" if missing else ""
    said = ", ".join(f"{name} {'yes' if found else 'no'}" for name, found in installed.items())
    return Fact("extras", said, {**installed}, problem)


def _output(options: IngestOptions) -> Fact:
    if options.to_stdout:
        try:
            streams.stdout()
        except PdfingestError as error:
            return Fact("output", "stdout", {"path": "-", "free_bytes": 0}, str(error))
    folder = tempfile.gettempdir() if options.to_stdout else os.path.abspath(options.folder)
    found = folder
    while not os.path.lexists(found):
        found = os.path.dirname(found)
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


def _encodings() -> Fact:
    data = {
        "stdout": sys.stdout.encoding,
        "file_names": sys.getfilesystemencoding(),
        "locale": ".".join(filter(None, locale.getlocale())) or "C",
    }
    said = "{stdout} on stdout, {file_names} in names of files, locale {locale}"
    return Fact("encodings", said.format(**data), data)


def _said(bounds: Iterable[Bound]) -> str:
    return "; ".join(f"{bound.value:,.12g} by {bound.source}" for bound in bounds) or "no limit"
