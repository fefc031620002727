"""What a document is beyond its text: dates and metadata in the form that records hold them."""

import re

from pdfingest.model import DocumentInfo, EngineSpec
from pdfingest.record import DocumentFacts
from pdfingest.text import clean

# ISO 32000-2, 7.9.4: (D:YYYYMMDDHHmmSSOHH'mm'), all but the year optional, the prefix often lost.
_DATE = re.compile(
    r"(?:D:)?\s*(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)"
    r"(?:(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?)?)?)?"
    r"(?:(?P<sign>[+\-Z])(?:(?P<off_hour>\d\d)'?(?P<off_minute>\d\d)?'?)?)?"
)
_LIMITS = {"month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 60),
           "off_hour": (0, 23), "off_minute": (0, 59)}  # fmt: skip


def iso_date(date: str) -> str:
    """A PDF date as ISO 8601, as precise as the file is; empty if it is no date.

    >>> iso_date("D:20260102030405+01'30'")
    '2026-01-02T03:04:05+01:30'
    >>> iso_date("D:202601")
    '2026-01'
    """
    match = _DATE.match(date.strip())
    if not match:
        return ""
    part = {name: value for name, value in match.groupdict().items() if value}
    for name, (least, most) in _LIMITS.items():
        if not least <= int(part.get(name, least)) <= most:
            return ""
    day = "-".join(part[name] for name in ("year", "month", "day") if name in part)
    if "hour" not in part:
        return day
    time = ":".join(part.get(name, "00") for name in ("hour", "minute", "second"))
    return f"{day}T{time}{_offset(part)}"


def _offset(part: dict[str, str]) -> str:
    """The time zone of a date, empty where the file gives none."""
    match part.get("sign"):
        case None:
            return ""
        case "Z":
            return "Z"
        case sign:
            return f"{sign}{part.get('off_hour', '00')}:{part.get('off_minute', '00')}"


def facts(
    source: str, sha256: str, total_pages: int, info: DocumentInfo, engine: EngineSpec
) -> DocumentFacts:
    """What all records of one source share, cleaned once."""
    return DocumentFacts(
        source=source,
        sha256=sha256,
        total_pages=total_pages,
        title=clean(info.title).strip(),
        author=clean(info.author).strip(),
        created=iso_date(info.created),
        producer=clean(info.producer).strip(),
        language=clean(info.language).strip(),
        engine=engine,
    )
