"""What a document is beyond its text: dates and metadata in the form that records hold them."""

import re
from datetime import datetime

from pdfingest.exchange.record import MOST_INFO_CHARS, DocumentFacts, record_id
from pdfingest.model import DocumentInfo, EngineSpec
from pdfingest.text import clean, shortened

# ISO 32000-2, 7.9.4: (D:YYYYMMDDHHmmSSOHH'mm'), all but the year optional. Files lack the prefix,
# and write an offset with one digit.
_DATE = re.compile(
    r"(?:D:)?\s*(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)"
    r"(?:(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?P<zone>[+\-Z].*)?)?)?)?",
    re.DOTALL,
)
_OFFSET = re.compile(r"(?P<sign>[+\-])(?P<hour>\d\d|\d(?!\d))'?(?P<minute>\d\d)?")


def iso_date(date: str) -> str:
    """Convert a PDF date to ISO 8601, as precise as the file is.

    Returns:
        An instant that exists in the calendar; empty if the text is no date or no such day or time
        exists, for readers such as `datetime.fromisoformat` refuse 30 February.

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
        # The zone is written behind it.
        instant = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - see above
    except ValueError:
        return ""
    if part["hour"]:
        return f"{instant.isoformat()}{_zone(part['zone'] or '')}"
    return "-".join(part[name] for name in ("year", "month", "day") if part[name])


def _zone(text: str) -> str:
    """Convert the time zone of a date; empty where the file gives none that exists."""
    if text.startswith("Z"):
        return "Z"
    match = _OFFSET.match(text)
    if not match:
        return ""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    exists = hour < 24 and minute < 60  # noqa: PLR2004 - hours of a day, minutes of an hour
    return f"{match['sign']}{hour:02}:{minute:02}" if exists else ""


def facts(
    source: str, sha256: str, total_pages: int, info: DocumentInfo, engine: EngineSpec
) -> DocumentFacts:
    """What all records of one source share, cleaned once."""
    return DocumentFacts(
        id=record_id(source, sha256),
        source=source,
        sha256=sha256,
        total_pages=total_pages,
        title=_line(info.title),
        author=_line(info.author),
        created=iso_date(info.created),
        producer=_line(info.producer),
        language=_line(info.language),
        engine=engine,
    )


def _line(text: str) -> str:
    """Clean a text of the metadata, and cut it where it is too long for every record."""
    return shortened(clean(text).strip(), MOST_INFO_CHARS)
