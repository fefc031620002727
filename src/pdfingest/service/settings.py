"""Settings of the service: one frozen value, read from the environment; all parts read the same.

`PDFINGEST_` stands before each name: `PDFINGEST_REDIS_URL`, `PDFINGEST_STORE`, `PDFINGEST_LANES`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_type_hints

from pdfingest import values
from pdfingest.errors import OptionError, UsageError
from pdfingest.measure.sizing import MAX_WORKERS, default_budget_bytes, default_workers
from pdfingest.options import IngestOptions, option_of
from pdfingest.service.address import Address, is_address, parse_folder
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
    """Uploads and results: a directory, or `s3://bucket/prefix`, `gs://…`, `az://…`. The place must
    be new or empty, and is marked as a store: files of the service that are old are deleted there.
    """
    api_keys_file: str = ""
    """Lines of `name:sha256 of the key in hex`. Without it only loopback can be served."""
    lanes: int = 0
    """Children that one worker has at the same time; 0: as many as there are CPUs, if memory and
    descriptors are enough."""
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
    """What `{"source": …}` may name: comma-separated absolute directories, and folders of object
    stores such as `s3://bucket/pdfs`, `gs://bucket` or `az://container/in`; nothing without.

    A source is the absolute path of a file, or `s3://bucket/` and the key of an object, character
    for character as `aws s3 ls` or `gcloud storage ls` print it. Nothing is decoded: a space is
    written as a space, and `%20` is three characters of the key. Refused are keys with an empty
    segment, with control characters, or with a segment that is or decodes to `.` or `..`; paths
    with a segment `..`; and whatever is in the store of the service.
    """
    webhook_hosts: str = ""
    """Comma-separated hosts that may be told of the end of a job; none without."""
    webhook_secret: str = ""
    """Key of the HMAC-SHA256 that signs what they are told."""

    def __post_init__(self) -> None:
        try:
            values.whole(0, MAX_WORKERS)(self.lanes)
        except ValueError as error:
            raise OptionError([f"{PREFIX}LANES"], str(error)) from None
        if not self.lanes:
            object.__setattr__(self, "lanes", default_workers(self._budget_bytes(), 0))
        for name in ("timeout", "page_timeout", "keep", "max_attempts", "lease", "rate"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{PREFIX}{name.upper()} must be above 0.")
        if self.webhook_hosts and not self.webhook_secret:
            raise UsageError(f"{PREFIX}WEBHOOK_HOSTS needs {PREFIX}WEBHOOK_SECRET to sign with.")
        _ = self.prefixes  # each can be read
        self.options()

    def options(self, **changes: Any) -> IngestOptions:
        """Options for one lane, which has its share of the worker's memory.

        Raises:
            UsageError: one is out of bounds.
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

    def _budget_bytes(self) -> int:
        """Memory of all children of a worker."""
        return self.memory_budget or default_budget_bytes()

    @property
    def prefixes(self) -> tuple[str | Address, ...]:
        """Directories, as text, and folders of object stores, below which sources may be named.

        Raises:
            UsageError: one is neither.
        """
        texts = (text.strip() for text in self.source_prefixes.split(","))
        return tuple(_prefix(text) for text in texts if text)

    @property
    def hosts(self) -> frozenset[str]:
        """That may be told."""
        return frozenset(filter(None, map(str.strip, self.webhook_hosts.split(","))))


def _prefix(text: str) -> str | Address:
    """One of the prefixes of sources.

    Raises:
        UsageError: it is neither an absolute directory nor a folder of an object store.
    """
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
    """Settings from the environment.

    Args:
        environment: where to look.
        given: what goes before it.

    Raises:
        UsageError: a value cannot be read, or is out of bounds.
    """
    types = get_type_hints(Settings)
    found: dict[str, Any] = {}
    for each in fields(Settings):
        text = environment.get(PREFIX + each.name.upper())
        if text:
            read = parse_size if "size" in each.metadata else types[each.name]
            try:
                found[each.name] = read(text)
            except ValueError as error:
                raise UsageError(f"{PREFIX}{each.name.upper()}: {error}.") from error
    return Settings(**{**found, **{k: v for k, v in given.items() if v is not None}})
