"""The options of a run: one frozen value, checked once, when it is made.

Each option stands here alone, with its default, its check, and what `--help` says of it. Its flag,
its variable and its key in the configuration are derived from the field (`cli.declared`).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from pdfingest import values
from pdfingest.errors import OptionError
from pdfingest.job import Limits, Sandbox
from pdfingest.measure.sizing import (
    MAX_WORKERS,
    check_memory,
    default_budget_bytes,
    default_workers,
)
from pdfingest.model import Duplicates, FailOn, FailureKind, Format, Order, Unit
from pdfingest.remote.place import NO_OUTPUT, is_remote
from pdfingest.shard import Shard, as_shard
from pdfingest.values import Share, Spec, option, switch

_TIMEOUT_S, _OCR_TIMEOUT_S = 300.0, 3600.0
"""Seconds that a file may take; OCR takes some seconds a page."""
LEAST_CHUNK = 16
"""Fewest tokens of a chunk. One character may take six, and is never cut."""
_OF_CHUNKS = ("chunk_tokens", "chunk_overlap", "tokenizer")


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestOptions:
    """Options of a run.

    Construction checks all of them and converts each to the type of its field: members of an
    enumeration may be given by their texts, sizes like `"512M"`, paths as `pathlib` has them.

    Raises:
        OptionError: an option has a wrong value, or several do not go together.
    """

    output: str = option(
        "pdfingest-out", values.path, "Output directory; - streams the records to stdout.", "DIR|-"
    )
    workers: int = option(
        None,
        values.optional(values.whole(1, MAX_WORKERS)),
        "Files at a time.",
        "N",
        "the CPUs; fewer if memory or descriptors are short",
    )
    """Number of lanes, which is the number of children at work; never None once it is checked."""
    engine: str = option(
        "auto",
        values.names,
        "auto (pdfium,pypdf), pdfplumber, one that a package adds, or several.",
        "NAME",
    )
    """Names of engines, separated by commas, in the order in which they try a page."""
    unit: Unit = option(Unit.PAGE, values.one_of(Unit), "What one record holds.")
    chunk_tokens: int = option(
        512, values.whole(LEAST_CHUNK), "With --unit chunk, tokens that a record may have.", "N"
    )
    chunk_overlap: int = option(
        0, values.whole(0), "With --unit chunk, tokens that it may repeat of the one before.", "N"
    )
    tokenizer: str = option(
        "gpt-4o",
        values.text,
        "What counts them: characters, words, a model of OpenAI, or a tokenizer.json.",
        "NAME|FILE",
    )
    format: Format = option(
        Format.TEXT,
        values.one_of(Format),
        "What text is: as it is read, with Markdown, or as the engine says it.",
    )
    ocr: str = option(
        "off",
        values.text,
        "Read pages that need it by OCR: auto (tesseract), or one that a package adds.",
        "off|auto|NAME",
    )
    ocr_lang: str = option(
        "",
        values.optional_names,
        "Languages of OCR, such as deu,eng.",
        "LANG[,LANG]",
        "what a document says, else eng",
    )
    """Codes of languages, separated by commas, the most likely first; empty for what each document
    says of itself."""
    attachments: bool = switch("Ingest PDFs that are attached to PDFs as files of their own, too.")
    tables: bool = switch("Write the tables of each page into its record, too.")
    timeout_s: float = option(
        None,
        values.optional(values.above_zero),
        "Seconds that a file may take.",
        "S",
        f"{_TIMEOUT_S:g}; {_OCR_TIMEOUT_S:g} with --ocr",
    )
    """Seconds that a file may take; never None once it is checked."""
    page_timeout_s: float = option(60.0, values.above_zero, "Seconds that a page may take.", "S")
    """Seconds that a page may take, and also that opening the file may take."""
    memory_budget_bytes: int = option(
        0, values.size, "Memory that all children may take.", "SIZE", "3/4 of what there is"
    )
    """Bytes that all children together may map; 0 is 3/4 of what cgroup and machine allow."""
    memory_limit_bytes: int = option(
        0, values.size, "Memory that one child may take.", "SIZE", "its share of the budget"
    )
    """Bytes that one child may map; 0 is its share of the budget."""
    scratch_bytes: int = option(
        "4G", values.size, "Room for copies of files from object stores and the web.", "SIZE"
    )
    max_output_bytes: int = option(
        "1G", values.size, "Size of the JSON that one file may yield.", "SIZE"
    )
    max_pages: int = option(1_000_000, values.whole(1), "Pages that a file may have.", "N")
    sandbox: Sandbox = option(
        Sandbox.AUTO,
        values.one_of(Sandbox),
        "Keep children from the network and other files: if possible, or else stop, or never.",
    )
    order: Order = option(
        Order.SIZE,
        values.one_of(Order),
        "Which files come first: the largest, by name, or the newest.",
    )
    shard: Shard | None = option(
        None,
        values.optional(as_shard),
        "Ingest one part of the files, into its part of the output; auto asks the scheduler.",
        "I/N|auto",
    )
    retry_failed: tuple[FailureKind, ...] = option(
        (),
        values.failure_kinds,
        "Ingest only files that an earlier run lost pages of, for any reason or for these.",
        "[KIND,...]",
    )
    force: bool = switch("Ingest also files that are unchanged since an earlier run.")
    checksum: bool = switch("Tell unchanged files by their hash, not by size and time.")
    wait_s: float = option(
        0.0, values.zero_or_more, "Seconds to wait for another run on the same output.", "S"
    )
    report_unchanged: bool = switch("Write a report line for unchanged files, too.")
    duplicates: Duplicates = option(
        Duplicates.KEEP,
        values.one_of(Duplicates),
        "Write the records of a file whose content another file has, or skip them.",
    )
    max_gone: Share = option(
        "50%",
        values.share,
        "Stop if more files of earlier runs are gone: a disk may be missing.",
        "N|P%",
    )
    compact: bool = switch("Rewrite the outputs after the run, as the command compact does.")
    fail_on: FailOn = option(
        FailOn.ANY,
        values.one_of(FailOn),
        "Exit with 1 on any lost page, on a failed file, or never.",
    )
    max_failures: Share = option(
        0, values.share, "Files that may be lost, as --fail-on counts, without exit code 1.", "N|P%"
    )
    max_peak_bytes: int = option(
        0, values.size, "Exit with 5 if the peak of a file exceeds this.", "SIZE", "none"
    )
    require_flat: bool = switch("Exit with 5 unless memory is seen to stay flat over the files.")
    passwords: tuple[str, ...] = field(
        default=(),
        repr=False,
        metadata={
            "spec": Spec(
                values.texts,
                "Password for encrypted files; repeatable. In PDFINGEST_PASSWORD, one per line.",
                "TEXT",
            )
        },
    )
    """Tried in order on files that do not open without one. They are never logged or written."""

    if TYPE_CHECKING:  # what construction takes is more than what the fields hold

        def __init__(  # noqa: PLR0913 - one parameter a field
            self,
            *,
            output: str | bytes | os.PathLike[Any] = ...,
            workers: int | None = ...,
            engine: str = ...,
            unit: Unit | str = ...,
            chunk_tokens: int = ...,
            chunk_overlap: int = ...,
            tokenizer: str = ...,
            format: Format | str = ...,  # noqa: A002 - the name of the option
            ocr: str = ...,
            ocr_lang: str = ...,
            attachments: bool = ...,
            tables: bool = ...,
            timeout_s: float | None = ...,
            page_timeout_s: float = ...,
            memory_budget_bytes: int | str = ...,
            memory_limit_bytes: int | str = ...,
            scratch_bytes: int | str = ...,
            max_output_bytes: int | str = ...,
            max_pages: int = ...,
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
            passwords: str | Iterable[str] = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        for each in fields(self):
            spec: Spec = each.metadata["spec"]
            try:
                value = spec.check(getattr(self, each.name))
            except ValueError as error:
                raise OptionError([each.name], str(error)) from None
            object.__setattr__(self, each.name, value)  # the class is frozen
        if cast(float | None, self.timeout_s) is None:
            object.__setattr__(self, "timeout_s", _OCR_TIMEOUT_S if self.has_ocr else _TIMEOUT_S)
        if self.ocr_lang and not self.has_ocr:
            raise OptionError(["ocr_lang"], "has no meaning without --ocr auto.")
        if cast(int | None, self.workers) is None:  # depends on other options, so not in its check
            fitting = default_workers(self.budget_bytes(), self.memory_limit_bytes)
            object.__setattr__(self, "workers", fitting)
        defaults = {each.name: each.default for each in fields(self)}
        for name in () if self.unit is Unit.CHUNK else _OF_CHUNKS:
            if getattr(self, name) != defaults[name]:
                raise OptionError([name], "has no meaning without --unit chunk.")
        self._check_output()
        check_memory(self.workers, self.memory_limit_bytes, self.memory_budget_bytes)

    def _check_output(self) -> None:
        """Refuse an impossible output, and options that need an output directory."""
        if not self.output:
            raise OptionError(["output"], "must name a directory, or - for stdout.")
        if is_remote(self.output):
            raise OptionError(["output"], NO_OUTPUT)
        if self.max_output_bytes < 1:
            raise OptionError(["max_output_bytes"], "must be 1 or more, not 0.")
        for name in ("shard", "retry_failed"):
            if self.to_stdout and getattr(self, name):
                reason = "needs an output directory, as it builds on earlier runs."
                raise OptionError([name], reason)
        if self.force and self.retry_failed:
            reason = "one takes all files, the other some. Choose one of them."
            raise OptionError(["force", "retry_failed"], reason)

    def budget_bytes(self) -> int:
        """Return the bytes that all children together may map."""
        return self.memory_budget_bytes or default_budget_bytes()

    def limits(self) -> Limits:
        """Return what one child may take."""
        memory_bytes = self.memory_limit_bytes or self.budget_bytes() // self.workers
        return Limits(memory_bytes, self.max_output_bytes, self.max_pages, self.budget_bytes())

    def to_json(self) -> dict[str, Any]:
        """Return the options as `summary.json` has them, without the passwords."""
        chosen = {each.name: getattr(self, each.name) for each in fields(self)}
        del chosen["passwords"]
        chosen |= {name: f"{each}" for name, each in chosen.items() if isinstance(each, Share)}
        chosen["shard"] = f"{self.shard.index}/{self.shard.count}" if self.shard else ""
        return chosen

    @property
    def has_ocr(self) -> bool:
        """Whether pages that need OCR are read by it."""
        return self.ocr != "off"

    @property
    def folder(self) -> str:
        """Directory of the outputs: the output directory, or the shard's part of it."""
        return os.path.join(self.output, self.shard.part) if self.shard else self.output

    @property
    def to_stdout(self) -> bool:
        """Whether the records go to stdout."""
        return self.output == "-"
