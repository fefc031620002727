"""What the user may choose about a run: one frozen value, validated once."""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal, Self

from pdfingest.errors import UsageError
from pdfingest.machine import available_cpus, available_memory
from pdfingest.model import Duplicates, EngineSpec, FailureKind, Limits, Sandbox, Unit
from pdfingest.shard import Shard
from pdfingest.text import mib

MAX_WORKERS = 512
"""More lanes than this is a typing error: each holds a process, two pipes and a thread."""
LEAST_MEMORY_BYTES = 64 << 20
"""A child that has opened nothing yet maps half of this."""


class FailOn(StrEnum):
    """Which outcomes make the exit code 1."""

    ANY = "any"
    """A lost page or a lost source."""
    FAILED = "failed"
    """A source that yielded no record."""
    NEVER = "never"
    """None; only the environment, an interrupt or a bug end with another code than 0."""


@dataclass(frozen=True, slots=True)
class Share:
    """A number of sources, or a part of them in percent."""

    number: int = 0
    percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N` or `P%`.

        Raises:
            ValueError: it is neither, or not from 0 to 100 percent.
        """
        match = _SHARE.fullmatch(text.strip())
        if match is None or (match["percent"] and float(match["percent"]) > 100):  # noqa: PLR2004 - percent
            raise ValueError(f"{text!r} must be a number, or a part such as 5%")
        if match["percent"]:
            return cls(percent=float(match["percent"]))
        return cls(number=int(match["number"]))

    def of(self, total: int) -> float:
        """Give the number that it stands for."""
        return self.number or self.percent * total / 100

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.percent else f"{self.number}"


_SHARE = re.compile(r"(?P<percent>\d{1,3}(?:\.\d+)?)%|(?P<number>\d{1,12})")


class Order(StrEnum):
    """Which sources come first."""

    SIZE = "size"
    """The largest, so that none is left over that all lanes but one have to wait for."""
    NAME = "name"
    MTIME = "mtime"
    """The one that was modified last."""


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
    timeout_s: float = 300.0
    """How long a file may take."""
    page_timeout_s: float = 60.0
    """How long a page may take, or opening the file."""
    memory_budget_bytes: int = 0
    """Memory of all children together; 0: three quarters of what cgroup and machine allow."""
    memory_limit_bytes: int = 0
    """Memory of one child; 0: its share of the budget."""
    max_output_bytes: int = 1 << 30
    """How much text, as JSON, one file may yield."""
    max_pages: int = 1_000_000
    """How many pages a file may have."""
    passwords: tuple[str, ...] = ()
    """Tried in order on files that do not open without one. Never logged nor written."""
    sandbox: Sandbox = Sandbox.AUTO
    """Whether children give up the network, other files, other programs and other processes."""
    order: Order = Order.SIZE
    shard: Shard | None = None
    """Ingest a share of the sources only, into a part of the output directory."""
    retry_failed: tuple[FailureKind, ...] = ()
    """Ingest only what an earlier run lost pages of, or all of, for one of these reasons."""
    force: bool = False
    """Ingest also what is unchanged."""
    checksum: bool = False
    """Tell by the hash alone what is unchanged, not by size and time."""
    wait_s: float = 0.0
    """How long to wait for another run that holds the output directory."""
    report_unchanged: bool = False
    """Write a report line for each source that is unchanged, too."""
    duplicates: Duplicates = Duplicates.KEEP
    """What becomes of a source whose content another source of the output has."""
    max_gone: Share = Share(percent=50)
    """Sources of earlier runs that may be gone; if more are, the run ends before it forgets any."""
    compact: bool = False
    """Rewrite the outputs to the newest state of each source when the run has ended."""
    fail_on: FailOn = FailOn.ANY
    max_failures: Share | None = None
    """Sources that may fail or lose pages without exit code 1; None for what `fail_on` says."""
    max_peak_bytes: int = 0
    """A gate: the peak that no child may exceed; 0 for none."""
    require_flat: bool = False
    """A gate: whether the memory of the run must be seen to be flat."""

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= MAX_WORKERS:
            raise UsageError(
                f"workers is {self.workers}, but must be from 1 to {MAX_WORKERS}. "
                "Leave it out to use the CPUs that this process may use."
            )
        if not self.output:
            raise UsageError("output is empty. Name a directory, or - for stdout.")

        for name in ("timeout_s", "page_timeout_s", "max_output_bytes", "max_pages"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} is {getattr(self, name)}, but must be above 0.")
        if self.to_stdout and (self.shard or self.retry_failed):
            raise UsageError("shards and retries need an output directory, as they build on it.")
        if self.force and self.retry_failed:
            raise UsageError("force takes all files, retry_failed some: choose one of them.")
        self._check_memory()

    def _check_memory(self) -> None:
        """Refuse children that could together take more than the budget, with the arithmetic."""
        limit, budget, workers = self.limits().memory_bytes, self.budget_bytes(), self.workers
        if limit < LEAST_MEMORY_BYTES:
            raise UsageError(
                f"{mib(budget)} for {workers} workers are {mib(limit)} each, but a child needs "
                f"{mib(LEAST_MEMORY_BYTES)}. Use fewer workers or a larger memory budget."
            )
        if workers * limit > budget:
            raise UsageError(
                f"{workers} workers x {mib(limit)} are {mib(workers * limit)}, more than the "
                f"memory budget of {mib(budget)}. Use at most {budget // limit} workers, or a "
                f"memory limit of {mib(budget // workers)}."
            )

    def budget_bytes(self) -> int:
        """Memory of all children together."""
        return self.memory_budget_bytes or available_memory() * 3 // 4

    def limits(self) -> Limits:
        """What one child may take."""
        memory_bytes = self.memory_limit_bytes or self.budget_bytes() // self.workers
        return Limits(memory_bytes, self.max_output_bytes, self.max_pages)

    def to_json(self) -> dict[str, Any]:
        """Give the options as JSON has them, without the passwords."""
        chosen = {each.name: getattr(self, each.name) for each in fields(self)}
        del chosen["passwords"]
        told = {name: f"{value}" for name, value in chosen.items() if isinstance(value, Share)}
        if self.shard is not None:
            told["shard"] = f"{self.shard.index}/{self.shard.count}"
        return {**chosen, **told}

    @property
    def folder(self) -> str:
        """Where the outputs go: the output directory, or the shard's part of it."""
        return os.path.join(self.output, self.shard.part) if self.shard else self.output

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
