"""Settings of the service: one frozen value that every part reads from the environment.

The variable of a setting is its name in capitals behind `PDFINGEST_`: `PDFINGEST_REDIS_URL`.
"""

# pyright: basic
# The client of Redis is not typed throughout; mypy checks this file strictly.

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis import Redis

from pdfingest import values
from pdfingest.errors import OptionError, UsageError
from pdfingest.measure.sizing import MAX_WORKERS, default_budget_bytes, default_workers
from pdfingest.model import Format, Unit
from pdfingest.options import IngestOptions
from pdfingest.page.splitting import is_file
from pdfingest.remote.address import Address, is_address, parse_folder
from pdfingest.service.variables import PREFIX
from pdfingest.values import option_of

_Size: TypeAlias = Annotated[int, BeforeValidator(values.size)]
"""Bytes, which may be given as `300M`."""
_Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count: TypeAlias = Annotated[int, Field(gt=0)]
_Room: TypeAlias = Annotated[int, Field(ge=0)]


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """Validate a text by a function that raises `ValueError`; an empty text is not checked."""

    def validate(text: str) -> str:
        if text:
            check(text)
        return text

    return AfterValidator(validate)


def _check_redis(url: str) -> None:
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must be redis://HOST:PORT/0, rediss://… or unix:///PATH")
    Redis.from_url(url).close()  # connects to nothing


def _check_store(place: str) -> None:
    if is_address(place):
        parse_folder(place)


def _check_origins(origins: str) -> None:
    for origin in _listed(origins):
        if origin != "*" and not origin.startswith(("http://", "https://")):
            raise ValueError("must be origins such as https://example.org, by commas, or *")


def _check_root(path: str) -> None:
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError("must be a path such as /pdf, without a slash at its end")


class Settings(BaseSettings):
    """What an operator may choose.

    Raises:
        pydantic.ValidationError: a value is out of bounds; `read_settings` says so in words.
        UsageError: a value does not go with another.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        validate_default=False,
        frozen=True,
        extra="ignore",
    )

    redis_url: Annotated[str, _checked(_check_redis)] = ""
    """URL of the Redis that holds the tickets and the queue; empty for that of `pdfingest up` in
    the same store while it runs, and else for `queue.DEFAULT_URL`."""
    store: Annotated[str, _checked(_check_store)] = "pdfingest-store"
    """Place of uploads and results: a directory, or `s3://bucket/prefix`, `gs://…`, `az://…`; it
    must be new or empty, as old files of the service are deleted there."""
    api_keys_file: str = ""
    """Path of a file with lines of `name:sha256 of the key in hex:scopes`, where the scopes may be
    left out; empty serves only loopback. It is read again when it changes."""
    lanes: Annotated[int, Field(ge=1, le=MAX_WORKERS)] = 0
    """Children that a worker has at the same time; by default as many as there are CPUs, if memory
    and descriptors are enough."""
    engine: str = "auto"
    """Engines for files whose client chose none: `auto`, a name, or several, by commas."""
    ocr: str = "off"
    """What reads pages that need OCR, where a client chose nothing: `off`, `auto`, or a name."""
    ocr_lang: str = ""
    """Languages of OCR where a client chose none; by default what a document says, else `eng`."""
    timeout: _Seconds = 300.0
    """Seconds that a file may take."""
    page_timeout: _Seconds = 60.0
    """Seconds that a page may take."""
    memory_budget: _Size = 0
    """Bytes for all children of a worker; 0 for three quarters of what cgroup and machine allow."""
    max_output: _Size = 1 << 30
    """Bytes of JSON that one file may yield."""
    max_pages: _Count = 1_000_000
    """Pages that a file may have."""
    sandbox: str = "auto"
    """Whether children enter a sandbox: `auto`, `require` or `off`."""
    max_upload: _Size = 1 << 30
    """Bytes that the files of one request may have."""
    max_queue: _Room = 10_000
    """Tickets that may be queued; beyond them files are refused (503)."""
    max_queue_per_key: _Room = 5_000
    """Tickets of one key that may be open; beyond them its files are refused (429)."""
    rate: _Count = 600
    """Tickets a minute that a key may get; beyond them files are refused (429)."""
    keep: _Seconds = 86_400.0
    """Seconds after its end at which a ticket is deleted, with its upload and its result."""
    max_attempts: _Count = 3
    """Workers that may die on a ticket, or fail to do it, before it is given up."""
    lease: _Seconds = 30.0
    """Seconds without a sign of life after which a worker counts as dead."""
    source_prefixes: str = ""
    """Places of files that `{"source": …}` may name: absolute directories, and folders of object
    stores such as `s3://bucket/pdfs`, by commas; empty for none. See `sources.locate`."""
    webhook_hosts: str = ""
    """Hosts that may receive webhooks, with their ports where they have some, by commas."""
    webhook_secret: Annotated[str, Field(repr=False)] = ""
    """Key of the HMAC-SHA256 that signs webhooks."""
    cors_origins: Annotated[str, _checked(_check_origins)] = ""
    """Origins of pages elsewhere that may use the API, by commas, or `*`; empty for none."""
    root_path: Annotated[str, _checked(_check_root)] = ""
    """Path that a proxy strips from the front of all requests, such as `/pdf`; links have it."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.lanes:  # none was given; all that reads the settings sees the same number
            object.__setattr__(self, "lanes", default_workers(self._budget_bytes, 0))
        if self.webhook_hosts and not self.webhook_secret:
            raise UsageError(f"{PREFIX}WEBHOOK_HOSTS needs {PREFIX}WEBHOOK_SECRET to sign with.")
        _ = self.prefixes, self.options()  # each raises what is wrong with it
        return self

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
                memory_budget_bytes=self._budget_bytes // self.lanes,
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
            OptionError: the engine is not one or more names, or chunks cannot be cut so.
        """
        ocr = chosen.get("ocr") or self.ocr
        return self.options(
            engine=chosen.get("engine") or self.engine,
            unit=Unit(chosen.get("unit") or Unit.PAGE),
            **_chunks(chosen),
            format=Format(chosen.get("format") or Format.TEXT),
            tables=bool(chosen.get("tables")),
            ocr=ocr,
            ocr_lang=chosen.get("ocr_lang") or ("" if ocr == "off" else self.ocr_lang),
            passwords=tuple(passwords),
        )

    @cached_property
    def _budget_bytes(self) -> int:
        """Bytes for all children of a worker, the same as long as it runs."""
        return self.memory_budget or default_budget_bytes()

    @property
    def prefixes(self) -> tuple[str | Address, ...]:
        """Directories, as text, and folders of object stores that sources may be in.

        Raises:
            UsageError: one is neither an absolute directory nor a folder of an object store.
        """
        return tuple(map(_prefix, _listed(self.source_prefixes)))

    @property
    def origins(self) -> frozenset[str]:
        """Origins of pages elsewhere that may use the API."""
        return frozenset(_listed(self.cors_origins))

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


def read_settings(**given: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        given: settings that count before their variables; None for those that were not given.

    Raises:
        OptionError: a value cannot be read or is out of bounds; it is named by its variable.
        UsageError: a value does not go with another.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)  # it may be a secret
        name = f"{PREFIX}{found[0]['loc'][0]}".upper()
        reason = found[0]["msg"].removeprefix("Value error, ").rstrip(".")
        reason = reason.replace("Input should be", "must be")
        raise OptionError([name], f"{reason}.") from error


def _chunks(chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of chunks that a client chose; a client may name no file."""
    names = ("chunk_tokens", "chunk_overlap", "tokenizer")
    found: dict[str, Any] = {name: chosen[name] for name in names if chosen.get(name)}
    if is_file(found.get("tokenizer", "")):
        raise OptionError(["tokenizer"], "must be a name, not a file.")
    return {name: int(value) if name != names[2] else value for name, value in found.items()}
