"""Settings of the service: one frozen value that every part reads from the environment.

The variable of a setting is its name in capitals behind `PDFINGEST_`: `PDFINGEST_REDIS_URL`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_type_hints

from pdfingest import values
from pdfingest.errors import OptionError, UsageError
from pdfingest.measure.sizing import MAX_WORKERS, default_budget_bytes, default_workers
from pdfingest.model import Format, Unit
from pdfingest.options import IngestOptions, option_of
from pdfingest.service.address import Address, is_address, parse_folder
from pdfingest.text import parse_size

PREFIX = "PDFINGEST_"


def _size(default: int) -> Any:
    """Declare a setting in bytes, which may be given as `300M`."""
    return field(default=default, metadata={"size": True})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What an operator may choose.

    Raises:
        UsageError: a value is out of bounds, or does not go with another.
    """

    redis_url: str = "redis://127.0.0.1:6379/0"
    """URL of the Redis that holds the tickets and the queue."""
    store: str = "pdfingest-store"
    """Place of uploads and results: a directory, or `s3://bucket/prefix`, `gs://…`, `az://…`; it
    must be new or empty, as old files of the service are deleted there."""
    api_keys_file: str = ""
    """Path of a file with lines of `name:sha256 of the key in hex`; empty serves only loopback."""
    lanes: int = 0
    """Children that a worker has at the same time; 0 for as many as there are CPUs, if memory and
    descriptors are enough."""
    engine: str = "auto"
    """Engines for files whose client chose none: `auto`, a name, or several, by commas."""
    timeout: float = 300.0
    """Seconds that a file may take."""
    page_timeout: float = 60.0
    """Seconds that a page may take."""
    memory_budget: int = _size(0)
    """Bytes for all children of a worker; 0 for three quarters of what cgroup and machine allow."""
    max_output: int = _size(1 << 30)
    """Bytes of JSON that one file may yield."""
    max_pages: int = 1_000_000
    """Pages that a file may have."""
    sandbox: str = "auto"
    """Whether children enter a sandbox: `auto`, `require` or `off`."""
    max_upload: int = _size(1 << 30)
    """Bytes that an uploaded file may have."""
    max_queue: int = 10_000
    """Tickets that may be queued; beyond them files are refused (503)."""
    rate: int = 600
    """Tickets a minute that a key may get; beyond them files are refused (429)."""
    keep: float = 86_400.0
    """Seconds after which a ticket, its upload and its result are deleted."""
    max_attempts: int = 3
    """Workers that may die on a ticket, or fail to do it, before it is given up."""
    lease: float = 30.0
    """Seconds without a sign of life after which a worker counts as dead."""
    source_prefixes: str = ""
    """Places of files that `{"source": …}` may name: absolute directories, and folders of object
    stores such as `s3://bucket/pdfs`, by commas; empty for none. See `sources.locate`."""
    webhook_hosts: str = ""
    """Hosts that may receive webhooks, with their ports where they have some, by commas."""
    webhook_secret: str = ""
    """Key of the HMAC-SHA256 that signs webhooks."""

    def __post_init__(self) -> None:
        try:
            values.whole(0, MAX_WORKERS)(self.lanes)
        except ValueError as error:
            raise OptionError([f"{PREFIX}LANES"], str(error)) from None
        if not self.lanes:  # all that reads the settings sees the same number
            object.__setattr__(self, "lanes", default_workers(self._budget_bytes(), 0))
        for name in ("timeout", "page_timeout", "keep", "max_attempts", "lease", "rate"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{PREFIX}{name.upper()} must be above 0.")
        if self.webhook_hosts and not self.webhook_secret:
            raise UsageError(f"{PREFIX}WEBHOOK_HOSTS needs {PREFIX}WEBHOOK_SECRET to sign with.")
        _ = self.prefixes, self.options()  # each raises what is wrong with it

    def options(self, **changes: Any) -> IngestOptions:
        """Make the options of one lane, which has its share of the worker's memory.

        Raises:
            OptionError: a value is out of bounds; it is named by its variable.
        """
        try:
            options = IngestOptions(
                output="-",
                workers=1,
                engine=self.engine,
                timeout_s=self.timeout,
                page_timeout_s=self.page_timeout,
                memory_budget_bytes=self._budget_bytes() // self.lanes,
                max_output_bytes=self.max_output,
                max_pages=self.max_pages,
                sandbox=self.sandbox,
            )
        except OptionError as error:
            raise error.renamed(lambda name: f"{PREFIX}{option_of(name).upper()}") from error
        return replace(options, **changes)

    def options_for(
        self, chosen: Mapping[str, str], passwords: Sequence[str] = ()
    ) -> IngestOptions:
        """Make the options of a ticket whose client chose some of `intake.CHOSEN`.

        Raises:
            OptionError: the engine is not one or more names.
        """
        return self.options(
            engine=chosen.get("engine") or self.engine,
            unit=Unit(chosen.get("unit") or Unit.PAGE),
            format=Format(chosen.get("format") or Format.TEXT),
            tables=bool(chosen.get("tables")),
            passwords=tuple(passwords),
        )

    def _budget_bytes(self) -> int:
        return self.memory_budget or default_budget_bytes()

    @property
    def prefixes(self) -> tuple[str | Address, ...]:
        """Directories, as text, and folders of object stores that sources may be in.

        Raises:
            UsageError: one is neither an absolute directory nor a folder of an object store.
        """
        return tuple(map(_prefix, _listed(self.source_prefixes)))

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts that may receive webhooks."""
        return frozenset(_listed(self.webhook_hosts))


def _listed(text: str) -> Iterator[str]:
    return filter(None, map(str.strip, text.split(",")))


def _prefix(text: str) -> str | Address:
    """Read one of the prefixes of sources; raises as `Settings.prefixes`."""
    name = f"{PREFIX}SOURCE_PREFIXES: {text}"
    if not is_address(text):
        if os.path.isabs(text):
            return text
        raise UsageError(f"{name} is refused: give an absolute directory, or s3://bucket/folder.")
    try:
        return parse_folder(text)
    except ValueError as error:
        raise UsageError(f"{name} is refused: {error}.") from error


def read_settings(environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        environment: the variables, and others.
        given: settings that count before their variables; None for those that were not given.

    Raises:
        UsageError: a value cannot be read, is out of bounds, or does not go with another.
    """
    types = get_type_hints(Settings)
    found: dict[str, Any] = {}
    for each in fields(Settings):
        variable = f"{PREFIX}{each.name.upper()}"
        if text := environment.get(variable):
            read = parse_size if "size" in each.metadata else types[each.name]
            try:
                found[each.name] = read(text)
            except ValueError as error:
                raise UsageError(f"{variable}: {error}.") from error
    found |= {name: value for name, value in given.items() if value is not None}
    return Settings(**found)
