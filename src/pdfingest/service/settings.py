"""Settings of the service: one frozen value, read from the environment; all parts read the same.

`PDFINGEST_` stands before each name: `PDFINGEST_REDIS_URL`, `PDFINGEST_STORE`, `PDFINGEST_LANES`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_type_hints

from pdfingest.errors import OptionError, UsageError
from pdfingest.machine import available_cpus, available_memory
from pdfingest.options import IngestOptions, option_of
from pdfingest.text import parse_size

PREFIX = "PDFINGEST_"


def _size(default: int) -> Any:
    """A number of bytes, such as `300M`."""
    return field(default=default, metadata={"size": True})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What whoever runs the service may choose. Construction validates and raises `UsageError`."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """Queue and state of the jobs."""
    store: str = "pdfingest-store"
    """Uploads and results: a directory, or `s3://bucket/prefix`, `gs://bucket/prefix`."""
    api_keys_file: str = ""
    """Lines of `name:sha256 of the key in hex`. Without it only loopback can be served."""
    lanes: int = field(default_factory=available_cpus)
    """Children that one worker has at the same time."""
    engine: str = "auto"
    timeout: float = 300.0
    """Seconds that a file may take."""
    page_timeout: float = 60.0
    """Seconds that a page may take."""
    memory_budget: int = _size(0)
    """Memory of all children of a worker; 0: three quarters of what cgroup and machine allow."""
    max_output: int = _size(1 << 30)
    """Text, as JSON, that one file may yield."""
    max_pages: int = 1_000_000
    sandbox: str = "auto"
    max_upload: int = _size(1 << 30)
    """Bytes of a file."""
    max_queue: int = 10_000
    """Jobs that may wait; then uploads are refused until some are done."""
    rate: int = 600
    """Jobs a minute that a key may send."""
    keep: float = 86_400.0
    """Seconds after which a job, its upload and its result are deleted."""
    max_attempts: int = 3
    """Workers that may die or be stopped on a job before it is given up."""
    lease: float = 30.0
    """Seconds without a sign of life after which a worker is taken for dead."""
    source_prefixes: str = ""
    """Comma-separated prefixes of what `{"source": …}` may name; nothing without."""
    webhook_hosts: str = ""
    """Comma-separated hosts that may be told of the end of a job; none without."""
    webhook_secret: str = ""
    """Key of the HMAC-SHA256 that signs what they are told."""

    def __post_init__(self) -> None:
        for name in ("timeout", "page_timeout", "keep", "max_attempts", "lease", "rate"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{PREFIX}{name.upper()} must be above 0.")
        if self.webhook_hosts and not self.webhook_secret:
            raise UsageError(f"{PREFIX}WEBHOOK_HOSTS needs {PREFIX}WEBHOOK_SECRET to sign with.")
        self.options()

    def options(self, **changes: Any) -> IngestOptions:
        """Options for one lane, which has its share of the worker's memory.

        Raises:
            UsageError: one is out of bounds.
        """
        budget = self.memory_budget or available_memory() * 3 // 4
        try:
            options = IngestOptions(
                output="-",
                workers=1,
                engine=self.engine,
                timeout_s=self.timeout,
                page_timeout_s=self.page_timeout,
                memory_budget_bytes=budget // max(self.lanes, 1),
                max_output_bytes=self.max_output,
                max_pages=self.max_pages,
                sandbox=self.sandbox,
            )
        except OptionError as error:
            raise error.renamed(lambda name: f"{PREFIX}{option_of(name).upper()}") from error
        return replace(options, **changes)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Of sources that may be named."""
        return tuple(filter(None, map(str.strip, self.source_prefixes.split(","))))

    @property
    def hosts(self) -> frozenset[str]:
        """That may be told."""
        return frozenset(filter(None, map(str.strip, self.webhook_hosts.split(","))))


def read_settings(environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Settings from the environment.

    Args:
        environment: where to look.
        given: what goes before it.

    Raises:
        UsageError: a value cannot be read, or is out of bounds.
    """
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for each in fields(Settings):
        text = environment.get(PREFIX + each.name.upper())
        if text:
            read = parse_size if "size" in each.metadata else types[each.name]
            try:
                values[each.name] = read(text)
            except ValueError as error:
                raise UsageError(f"{PREFIX}{each.name.upper()}: {error}.") from error
    return Settings(**{**values, **{k: v for k, v in given.items() if v is not None}})
