"""Metadata of a document, from what the file says to what its records say.

Runs in the child. Owns the conversion of PDF dates to ISO 8601; the names of the metadata are those
of `model.DocumentInfo`.
"""

import re
from datetime import datetime

from pdfingest.exchange.record import DocumentFacts, record_id
from pdfingest.job import EngineSpec, Job
from pdfingest.outcome import Shape
from pdfingest.pages import INFO_NAMES, DocumentInfo, Page
from pdfingest.text import clean, shortened

# A longer text, such as a title, is a mistake or an attack, and every record of the file would
# repeat it.
_MOST_CHARS = 4096
_DATES = {"created", "modified"}  # names of the metadata that are dates
# ISO 32000-2, 7.9.4: (D:YYYYMMDDHHmmSSOHH'mm'), all but the year optional. Real files omit the
# prefix, and write an offset with one digit.
_DATE = re.compile(
    r"(?:D:)?\s*(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)"
    r"(?:(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?P<zone>[+\-Z].*)?)?)?)?",
    re.DOTALL,
)
_OFFSET = re.compile(r"(?P<sign>[+\-])(?P<hour>\d\d|\d(?!\d))'?(?P<minute>\d\d)?")


def iso_date(date: str) -> str:
    """Convert a PDF date to ISO 8601, with the precision that it has.

    Returns:
        A date, or a date and time, that exists; empty if the text is not a date, or names a day or
        a time that does not exist: readers such as `datetime.fromisoformat` refuse 30 February.

    >>> iso_date("D:20260102030405+01'30'")
    '2026-01-02T03:04:05+01:30'
    >>> iso_date("D:202601")
    '2026-01'
    """
    match = _DATE.match(date.strip())
    if not match:
        return ""
    part = match.groupdict()
    year, month, day = (int(part[name] or 1) for name in ("year", "month", "day"))
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    try:
        instant = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - `_zone` follows
    except ValueError:
        return ""
    if part["hour"]:
        return f"{instant.isoformat()}{_zone(part['zone'] or '')}"
    return "-".join(part[name] for name in ("year", "month", "day") if part[name])


def _zone(text: str) -> str:
    """Convert the time zone of a PDF date; empty if there is none, or no such zone exists."""
    if text.startswith("Z"):
        return "Z"
    match = _OFFSET.match(text)
    if not match:
        return ""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    exists = hour < 24 and minute < 60  # noqa: PLR2004 - hours of a day, minutes of an hour
    return f"{match['sign']}{hour:02}:{minute:02}" if exists else ""


def facts(
    job: Job, sha256: str, total_pages: int, info: DocumentInfo, engine: EngineSpec
) -> DocumentFacts:
    """Make what all records of a source share, so that it is cleaned once and not for each page."""
    cleaned = {
        name: iso_date(getattr(info, name)) if name in _DATES else _line(getattr(info, name))
        for name in INFO_NAMES
    }
    source = job.source.name
    return DocumentFacts(
        record_id(source, sha256), source, sha256, total_pages, cleaned, job.format, engine
    )


def shape_of(page: Page) -> Shape:
    """Return the shape of a page, to a tenth of a point."""
    left, top, right, bottom = page.box
    return Shape(round(right - left, 1), round(bottom - top, 1), page.turn)


def _line(text: str) -> str:
    """Clean a text of the metadata, and cut it if it is too long."""
    return shortened(clean(text).strip(), _MOST_CHARS)
