"""What the user may choose about a run: one frozen value, checked once, at its construction."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, cast

from pdfingest import values
from pdfingest.errors import OptionError
from pdfingest.measure.sizing import (
    LEAST_MEMORY_BYTES,
    MAX_WORKERS,
    default_budget_bytes,
    default_workers,
)
from pdfingest.model import SCHEMA, Duplicates, EngineSpec, FailureKind, Limits, Sandbox, Unit
from pdfingest.shard import Shard
from pdfingest.share import HALF, NONE, Share, as_share
from pdfingest.text import mib

ANY_KIND = "any"
"""Stands for every kind of failure."""


class FailOn(StrEnum):
    """Which outcomes make the exit code 1."""

    ANY = "any"
    """A lost page or a lost source."""
    FAILED = "failed"
    """A source that yielded no record."""
    NEVER = "never"
    """None; only the environment, an interrupt or a bug end with another code than 0."""


class Order(StrEnum):
    """Which sources come first."""

    SIZE = "size"
    """The largest, so that none is left over that all lanes but one have to wait for."""
    NAME = "name"
    MTIME = "mtime"
    """The one that was modified last."""


def _workers(value: Any) -> int | None:
    """Check a number of lanes; None for as many as fit, which depends on other options."""
    return None if value is None else values.whole(1, MAX_WORKERS)(value)


def as_kinds(value: Any) -> tuple[FailureKind, ...]:
    """Check kinds of failure: several, or a text such as `timeout,crashed`, or `any` for all."""
    if value == ANY_KIND:
        return tuple(FailureKind)
    found = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(FailureKind(each.strip()) for each in found)
    except (AttributeError, TypeError, ValueError):
        words = f"{ANY_KIND} or one or more of {', '.join(FailureKind)}"
        raise ValueError(f"must be {words}, not {values.shown(value)}.") from None


def as_shard(value: Any) -> Shard | None:
    """Check a shard: one, none, or its text."""
    if value is None or isinstance(value, Shard):
        return value
    return Shard.parse(values.text(value))


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "output": values.path,
    "workers": _workers,
    "engine": values.names,
    "unit": values.one_of(Unit),
    "timeout_s": values.above_zero,
    "page_timeout_s": values.above_zero,
    "memory_budget_bytes": values.size,
    "memory_limit_bytes": values.size,
    "max_output_bytes": values.size,
    "max_pages": values.whole(1),
    "passwords": values.texts,
    "sandbox": values.one_of(Sandbox),
    "order": values.one_of(Order),
    "shard": as_shard,
    "retry_failed": as_kinds,
    "force": values.flag,
    "checksum": values.flag,
    "wait_s": values.zero_or_more,
    "report_unchanged": values.flag,
    "duplicates": values.one_of(Duplicates),
    "max_gone": as_share,
    "compact": values.flag,
    "fail_on": values.one_of(FailOn),
    "max_failures": as_share,
    "max_peak_bytes": values.size,
    "require_flat": values.flag,
}
"""Of every field: judges a value and brings it to the type of the field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestOptions:
    """Options of a run.

    Construction checks all of them and brings them to the types of their fields: members of an
    enumeration may be given by their texts, sizes like `"512M"`, paths as `pathlib` has them.

    Raises:
        OptionError: one cannot be what it is, or some do not go together.
    """

    output: str = "pdfingest-out"
    """Directory of the outputs; `-` streams the records to stdout."""
    workers: int = cast(int, None)  # until the other options are known
    """Lanes: how many children extract at the same time; by default as many as there are CPUs, if
    memory and descriptors are enough (`sizing`)."""
    engine: str = "auto"
    """Name of an engine, or several with commas between; `auto` is pdfium, then pypdf."""
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
    passwords: tuple[str, ...] = field(default=(), repr=False)
    """Tried in order on files that do not open without one. Never logged nor written."""
    sandbox: Sandbox = Sandbox.AUTO
    """Whether children give up the network, other files, other programs and other processes."""
    order: Order = Order.SIZE
    """Which sources come first."""
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
    max_gone: Share = HALF
    """Sources of earlier runs that may be gone; if more are, the run ends before it forgets any."""
    compact: bool = False
    """Rewrite the outputs to the newest state of each source when the run has ended."""
    fail_on: FailOn = FailOn.ANY
    """Which outcomes make the exit code 1."""
    max_failures: Share = NONE
    """Sources that may be lost, as `fail_on` counts them, without exit code 1."""
    max_peak_bytes: int = 0
    """A gate: the peak that no child may exceed; 0 for none."""
    require_flat: bool = False
    """A gate: whether the memory of the run must be seen to be flat."""

    if TYPE_CHECKING:  # what is taken is more than what is kept

        def __init__(  # noqa: PLR0913 - one parameter a field
            self,
            *,
            output: str | bytes | os.PathLike[Any] = ...,
            workers: int | None = ...,
            engine: str = ...,
            unit: Unit | str = ...,
            timeout_s: float = ...,
            page_timeout_s: float = ...,
            memory_budget_bytes: int | str = ...,
            memory_limit_bytes: int | str = ...,
            max_output_bytes: int | str = ...,
            max_pages: int = ...,
            passwords: str | Iterable[str] = ...,
            sandbox: Sandbox | str = ...,
            order: Order | str = ...,
            shard: Shard | str | None = ...,
            retry_failed: str | Iterable[FailureKind | str] = ...,
            force: bool = ...,
            checksum: bool = ...,
            wait_s: float = ...,
            report_unchanged: bool = ...,
            duplicates: Duplicates | str = ...,
            max_gone: Share | int | str = ...,
            compact: bool = ...,
            fail_on: FailOn | str = ...,
            max_failures: Share | int | str = ...,
            max_peak_bytes: int | str = ...,
            require_flat: bool = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            try:
                value = check(getattr(self, name))
            except ValueError as error:
                raise OptionError([name], str(error)) from None
            object.__setattr__(self, name, value)
        if cast(int | None, self.workers) is None:
            fitting = default_workers(self.budget_bytes(), self.memory_limit_bytes)
            object.__setattr__(self, "workers", fitting)
        self._check_output()
        self._check_memory()

    def _check_output(self) -> None:
        """Refuse an output that cannot be, and what needs another one."""
        if not self.output:
            raise OptionError(["output"], "must name a directory, or - for stdout.")
        if self.max_output_bytes < 1:
            raise OptionError(["max_output_bytes"], "must be 1 or more, not 0.")
        for name in ("shard", "retry_failed"):
            if self.to_stdout and getattr(self, name):
                raise OptionError(
                    [name], "needs an output directory, as it builds on earlier runs."
                )
        if self.force and self.retry_failed:
            raise OptionError(
                ["force", "retry_failed"],
                "one takes all files, the other some. Choose one of them.",
            )

    def _check_memory(self) -> None:
        """Refuse children that could together take more than the budget, with the arithmetic."""
        budget, workers = self.budget_bytes(), self.workers
        limit = self.limits().memory_bytes
        least = mib(LEAST_MEMORY_BYTES)
        of_budget = ["memory_budget_bytes"] if self.memory_budget_bytes else []
        if self.memory_limit_bytes:
            if limit < LEAST_MEMORY_BYTES:
                raise OptionError(
                    ["memory_limit_bytes"],
                    f"{mib(limit)} are too little: a child needs {least} before it reads a file.",
                )
            if limit > budget:
                raise OptionError(
                    ["memory_limit_bytes", *of_budget],
                    f"{mib(limit)} for a file are more than the {mib(budget)} for all. "
                    "Lower the limit, or give a larger budget.",
                )
            if workers * limit > budget:
                raise OptionError(
                    ["workers", "memory_limit_bytes"],
                    f"{workers} x {mib(limit)} are more than the memory budget of {mib(budget)}. "
                    f"Use at most {budget // limit} workers, or a limit of "
                    f"{mib(budget // workers)}.",
                )
        elif budget < LEAST_MEMORY_BYTES:
            raise OptionError(
                of_budget,
                f"{mib(budget)} are too little: a child needs {least} before it reads a file.",
            )
        elif limit < LEAST_MEMORY_BYTES:
            raise OptionError(
                ["workers", *of_budget],
                f"{mib(budget)} for {workers} workers are {mib(limit)} each, but a child needs "
                f"{least}. Use at most {budget // LEAST_MEMORY_BYTES} workers, or a budget of "
                f"{mib(workers * LEAST_MEMORY_BYTES)}.",
            )

    def budget_bytes(self) -> int:
        """Memory of all children together."""
        return self.memory_budget_bytes or default_budget_bytes()

    def limits(self) -> Limits:
        """What one child may take."""
        memory_bytes = self.memory_limit_bytes or self.budget_bytes() // self.workers
        return Limits(memory_bytes, self.max_output_bytes, self.max_pages)

    def to_json(self) -> dict[str, Any]:
        """Give the options as JSON has them, without the passwords."""
        chosen = {each.name: getattr(self, each.name) for each in fields(self)}
        del chosen["passwords"]
        chosen |= {name: f"{each}" for name, each in chosen.items() if isinstance(each, Share)}
        chosen["shard"] = f"{self.shard.index}/{self.shard.count}" if self.shard else ""
        return chosen

    @property
    def folder(self) -> str:
        """Where the outputs go: the output directory, or the shard's part of it."""
        return os.path.join(self.output, self.shard.part) if self.shard else self.output

    @property
    def to_stdout(self) -> bool:
        """Whether the records go to stdout."""
        return self.output == "-"


def option_of(field_name: str) -> str:
    """Name the option that gives a field: a field has the unit of its value in its name."""
    if field_name == "passwords":
        return "password"
    return field_name.removesuffix("_bytes").removesuffix("_s")


def options_digest(options: IngestOptions, engines: Sequence[EngineSpec]) -> str:
    """First 16 hex digits of the SHA-256 of all that changes a record, its schema included.

    Passwords are not part of it: they decide whether a file opens, not what it says, and a digest
    of a short password could be searched.
    """
    text: Mapping[Literal["schema", "unit", "engines"], object] = {
        "schema": SCHEMA,
        "unit": options.unit,
        "engines": [(engine.name, engine.version) for engine in engines],
    }
    return hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()[:16]
