"""What the user may choose about a run: one frozen value, validated once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pdfingest.errors import UsageError
from pdfingest.machine import available_cpus
from pdfingest.model import EngineSpec, Unit

MAX_WORKERS = 512
"""More lanes than this is a typing error: each holds a process, two pipes and a thread."""


class FailOn(StrEnum):
    """Which outcomes make the exit code 1."""

    ANY = "any"
    """A lost page or a lost source."""
    FAILED = "failed"
    """A source that yielded no record."""
    NEVER = "never"
    """None; only the environment, an interrupt or a bug end with another code than 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestOptions:
    """Options of a run. Construction validates and raises `UsageError`."""

    output: str = "pdfingest-out"
    """Directory of the outputs; `-` streams the records to stdout."""
    workers: int = field(default_factory=available_cpus)
    """Lanes: how many children extract at the same time."""
    engine: str = "auto"
    """Name of an engine, or `auto`: pdfium, then pypdf if pdfium cannot open the file."""
    unit: Unit = Unit.PAGE
    """One record a page, or one a document."""
    passwords: tuple[str, ...] = ()
    """Tried in order on files that do not open without one. Never logged nor written."""
    fail_on: FailOn = FailOn.ANY

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= MAX_WORKERS:
            raise UsageError(
                f"workers is {self.workers}, but must be from 1 to {MAX_WORKERS}. "
                "Leave it out to use the CPUs that this process may use."
            )
        if not self.output:
            raise UsageError("output is empty. Name a directory, or - for stdout.")

    @property
    def to_stdout(self) -> bool:
        """Whether the records go to stdout."""
        return self.output == "-"


def options_digest(options: IngestOptions, engines: Sequence[EngineSpec]) -> str:
    """First 16 hex digits of the SHA-256 of all that changes the text of a record.

    Passwords are not part of it: they decide whether a file opens, not what it says, and a digest
    of a short password could be searched.
    """
    text: Mapping[Literal["unit", "engines"], object] = {
        "unit": options.unit,
        "engines": [(engine.name, engine.version) for engine in engines],
    }
    return hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()[:16]
