"""JSON Schemas (2020-12) of a record, a report line and the summary: what users may rely on.

Each key has one line. A test compares the schemas with what a run writes, in both directions, so
that neither can change without the other.
"""

from functools import partial
from typing import Any, TypeAlias

from pdfingest.measure.flatness import Sample, Verdict
from pdfingest.model import SCHEMA, FailureKind, Format, OcrReason, TextSource
from pdfingest.outcome import Status

Schema: TypeAlias = dict[str, Any]

_JSON = {"contentMediaType": "application/json"}
_SHA256 = "^([0-9a-f]{64})?$"


def _of(kind: str, description: str, **more: Any) -> Schema:
    return {"type": kind, "description": description, **more}


_text = partial(_of, "string")
_flag = partial(_of, "boolean")
_whole = partial(_of, "integer", minimum=0)
_number = partial(_of, "number")
_amount = partial(_of, "number", minimum=0)


def _list(description: str, items: Any) -> Schema:
    """Make the schema of a list from the schema of its items; from False if it is always empty."""
    return _of("array", description, items=items)


def _json(description: str, items: Schema) -> Schema:
    """Make the schema of a text that holds a list of objects as JSON, from that of an object."""
    content = _list(description, items)
    return _text(f"{description} A list, as JSON.", contentSchema=content, **_JSON)


def _object(description: str, **keys: Schema) -> Schema:
    """Make the schema of an object that has all of these keys and no other."""
    return _of(
        "object", description, properties=keys, required=list(keys), additionalProperties=False
    )


def _named(name: str, schema: Schema, **more: Any) -> Schema:
    """Add to a schema its name, which changes with its version."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pdfingest:{name}:{SCHEMA}",
        **schema,
        **more,
    }


_VERSION = _of("integer", "Version of this schema.", const=SCHEMA)
_RECORD_METADATA = _object(
    "What is known of the page or document: flat scalars, as vector stores take them.",
    source=_text("Name of the file, as `source` of the record."),
    file_name=_text("Last part of the name."),
    sha256=_text("SHA-256 of the file, in hex.", pattern=_SHA256),
    page=_whole("Number of the page, 1-based; of a chunk, the first; 0 for a document."),
    page_label=_text("The page's number as a reader shows it, such as iii; or empty."),
    section=_text("Titles of the outline that the page stands under, with > between, or empty."),
    total_pages=_whole("Pages of the document."),
    title=_text("Title of the document, or empty."),
    author=_text("Author of the document, or empty."),
    subject=_text("Subject of the document, or empty."),
    keywords=_text("Keywords of the document, or empty."),
    created=_text("When the document was made, in ISO 8601, or empty."),
    modified=_text("When the document was last changed, in ISO 8601, or empty."),
    producer=_text("Program that wrote the file, or empty."),
    language=_text("Language that the document declares (BCP 47), or empty."),
    format=_text("What `text` is.", enum=list(Format)),
    engine=_text("Name of the engine that read it."),
    engine_version=_text("Version of the engine."),
    text_source=_text("Where `text` is from.", enum=list(TextSource)),
    char_count=_whole("Characters of `text`."),
    ocr_chars=_whole("Characters that OCR read."),
    ocr_confidence=_amount("How sure OCR is of them, in percent; 0.0 where it read nothing."),
    needs_ocr=_flag("Whether it shows something that its text does not say."),
    ocr_reason=_text("What that is, or empty.", enum=list(OcrReason)),
    chunk=_whole("Number of the chunk in its document, 1-based; 0 in other records."),
    chunk_start=_whole("Index, 0-based, of its first character in the text of the document."),
    chunk_end=_whole("Index behind its last character."),
    tokenizer=_text("What the size of chunks is counted with, or empty."),
    schema=_VERSION,
)
_TABLE = _object(
    "A table.",
    page=_whole("Number of its page, 1-based.", minimum=1),
    bbox=_of(
        "array",
        "Left, top, right and bottom in points, from the top left of what is shown of the page.",
        items=_number("A length."),
        minItems=4,
        maxItems=4,
    ),
    rows=_list("Rows of one length.", _list("A row.", _text("The text of a cell."))),
)
_INTERNAL_LINK = _object(
    "A link to a page of the same document.",
    page=_whole("Number of its page, 1-based.", minimum=1),
    to_page=_whole("Number of the page that it leads to; 0 if that is not there."),
    to_label=_text("Label of that page, or empty."),
)
_ANNOTATION = _object(
    "What somebody added to a page.",
    page=_whole("Number of its page, 1-based.", minimum=1),
    kind=_text("Subtype of ISO 32000-2, such as Text (a note), Highlight or Stamp."),
    author=_text("Who made it, or empty."),
    text=_text("What it says, or empty."),
)
_FORM_FIELD = _object(
    "A field of a form.",
    page=_whole("Number of its page, 1-based.", minimum=1),
    name=_text("Names of the field and of those that it is part of, with dots between."),
    kind=_text("What it is.", enum=["text", "checkbox", "radio", "choice", "button", "signature"]),
    value=_text("What is filled in or chosen, or empty; of a box that is not marked, Off."),
)
_RECORD = _object(
    "A page, or with `--unit` a document or a chunk of one.",
    id=_text(
        "16 hex digits of the SHA-256 of name, NUL and content; then numbers of page and chunk.",
        pattern="^[0-9a-f]{16}(:p[0-9]{4,}(:c[0-9]{4,})?)?$",
    ),
    text=_text("The text; of a document, its pages with line ends between."),
    source=_text("Name of the file: its path relative to the input it was found under."),
    metadata=_RECORD_METADATA,
    tables=_json("With `--tables`, the tables.", _TABLE),
    links=_list("Targets outside the document.", _text("An address.")),
    internal_links=_json("Links to pages of the document.", _INTERNAL_LINK),
    annotations=_json("Comments, marks and stamps.", _ANNOTATION),
    form_fields=_json("Fields of forms.", _FORM_FIELD),
    furniture=_text("Running heads, page numbers and the like, which are not in `text`."),
)
_PAGE_OFFSETS = _list(
    "Only in the record of a document: where each page begins in `text`, in characters.",
    _whole("0-based index of the first character."),
)
_ATTACHMENT = _object(
    "A file within a document.",
    name=_text("Name of the file."),
    bytes=_whole("Size of its content; 0 if it is not known."),
    is_pdf=_flag("Whether its name or its type says that it is a PDF."),
)
_REPORT = _object(
    "How one source ended in one run, and what it cost.",
    source=_text("Name of the file, as in its records."),
    sha256=_text("SHA-256 of the file in hex, or empty if it was not read.", pattern=_SHA256),
    bytes=_whole("Size of the file."),
    status=_text("How it ended.", enum=list(Status)),
    failure=_text("Why pages or all of it were lost, or empty.", enum=["", *FailureKind]),
    message=_text("The failure in words, or empty."),
    engine=_text("Name of the engine that read it, or empty."),
    pages=_whole("Pages whose text was written."),
    total_pages=_whole("Pages of the document, as far as they are known."),
    pages_failed=_whole("Pages that were lost."),
    failed_pages=_list("Which were lost.", _whole("Number of a page, 1-based.", minimum=1)),
    needs_ocr_pages=_whole("Pages that show something that their text does not say."),
    ocr_pages=_whole("Pages of which OCR read some text."),
    chars=_whole("Characters of all pages."),
    pdf_version=_text("Version of PDF that the file says it has, such as 1.7, or empty."),
    is_tagged=_flag("Whether it says that it is tagged."),
    is_signed=_flag("Whether it has a signature; none is verified."),
    has_xfa=_flag("Whether it has a form in XFA, which PDF 2.0 no longer has."),
    page_width=_amount("Width of its pages in points, before they are turned; 0 if they differ."),
    page_height=_amount("Height of its pages in points; 0 if they differ."),
    page_turn=_whole(
        "Degrees by which pages are turned for display; 0 if they differ.", maximum=270
    ),
    attachments=_json("Files within it.", _ATTACHMENT),
    attempts=_whole("Processes that it took; 0 if none was started."),
    peak_rss_bytes=_whole("Highest resident memory of its process; 0 if unknown."),
    baseline_rss_bytes=_whole("Resident memory of that process before it opened the file."),
    peak_method=_text("How the peak was measured, or empty."),
    private_peak_bytes=_whole("Highest memory that it shared with no image of models; 0 if none."),
    cpu_s=_amount("Seconds of processor time."),
    wall_s=_amount("Seconds that it took."),
    started_at=_text("When it was begun, in ISO 8601 and UTC, or empty."),
    pid=_whole("Number of its process; 0 if none was started."),
    signal=_text("Name of the signal that killed a process of it first, or empty."),
    stack=_text("Last Python frames of the first of its processes that died, or empty."),
    duplicate_of=_text("Name of an earlier source with the same content, or empty."),
    options_digest=_text("Digest of all options that change the text.", pattern="^[0-9a-f]{16}$"),
    schema=_VERSION,
)
_SAMPLES = _object(
    "What the processes of the run held, measured from outside: a column each, of one length.",
    **{
        name: _list("A number for each sample.", _amount("A value."))
        for name in Sample.__dataclass_fields__
    },
)
_SUMMARY = _object(
    "The newest run.",
    schema=_VERSION,
    version=_text("Version of pdfingest."),
    started_at=_text("When it was begun, in ISO 8601 and UTC."),
    options=_of("object", "What the user chose, by name, without the passwords."),
    sources=_whole("Files that were found: taken up, unchanged, or not begun."),
    ok=_whole("Files without a loss."),
    partial=_whole("Files that lost some pages."),
    failed=_whole("Files that gave no record."),
    unchanged=_whole("Files whose records are those of an earlier run."),
    unchanged_partial=_whole("Of these, files that lost pages then."),
    not_begun=_whole("Files that a stop left for the next run."),
    gone=_whole("Files of earlier runs that are not there any more."),
    failures=_object(
        "Files that failed or lost pages, by the reason of the first loss.",
        **{kind: _whole(f"Files with the failure {kind}.") for kind in FailureKind},
    ),
    interrupted=_flag("Whether a signal ended it early."),
    pages=_whole("Pages whose text was written."),
    pages_failed=_whole("Pages that were lost."),
    needs_ocr_pages=_whole("Pages that show something that their text does not say."),
    ocr_pages=_whole("Pages of which OCR read some text."),
    chars=_whole("Characters of all pages."),
    wall_s=_amount("Seconds that it took."),
    pages_per_s=_amount("Pages a second."),
    peak_rss_bytes=_object(
        "Percentiles of the peaks of the files, to within 1 %.",
        p50=_whole("Median."),
        p95=_whole("95th percentile."),
        p99=_whole("99th percentile."),
        max=_whole("Highest, exactly."),
        max_source=_text("The file that has it, or empty."),
    ),
    source_wall_s=_object(
        "Percentiles of the seconds that files took, to within 1 %.",
        p50=_amount("Median."),
        p95=_amount("95th percentile."),
        p99=_amount("99th percentile."),
        max=_amount("Highest, exactly."),
    ),
    memory=_object(
        "Whether the memory that outlives a file grows with the files; of the last run that took "
        "up any.",
        measured_at=_text("When the run that measured it was begun, in ISO 8601 and UTC."),
        verdict=_text("What can be said.", enum=list(Verdict)),
        bytes_per_file=_number("Slope of that memory."),
        bytes_per_file_low=_number("Lower end of its 99 % interval."),
        bytes_per_file_high=_number("Upper end of its 99 % interval."),
        threshold_bytes_per_file=_number("Flat means that the interval ends below this."),
        files=_whole("Files that the slope was taken over; all, if they were too few."),
        grown_bytes=_number("Memory after these files, less that before them."),
        files_to_go=_whole("How many more files a verdict takes, if there is none."),
        samples=_SAMPLES,
    ),
)
_SCHEMAS = {
    "record": _named(
        "record",
        {**_RECORD, "properties": {**_RECORD["properties"], "page_offsets": _PAGE_OFFSETS}},
        **{
            "if": {"properties": {"metadata": {"properties": {"page": {"const": 0}}}}},
            "then": {"required": ["page_offsets"]},
            "else": {"properties": {"page_offsets": False}},
        },
    ),
    "report": _named("report", _REPORT),
    "summary": _named("summary", _SUMMARY),
}


def schema_of(name: str) -> Schema:
    """Return the schema of a `record`, of a line of the `report`, or of the `summary`."""
    return _SCHEMAS[name]
