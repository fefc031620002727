"""Which of the files attached to a PDF become sources, and what they are called.

A source within `a.pdf` is called `a.pdf!/contract.pdf`; pure.
"""

from collections.abc import Iterator, Sequence

from pdfingest.model import Source
from pdfingest.outcome import Attachment
from pdfingest.text import clean, counted, source_name

SEPARATOR = "!/"
MOST_LEVELS = 4
"""How deep attachments are read: an attachment of an attachment is the second level."""
MOST_SOURCES = 1000
"""Attachments that are read of one file, on all levels."""


def members(source: Source, attachments: Sequence[Attachment], room: int) -> Iterator[Source]:
    """Yield the sources that are attached to one, in the order of the file.

    Those that exceed a limit are one source with an error, so that the report shows them.

    Args:
        source: the document; of its fields all but the name stay as they are, but for the size.
        attachments: all of it, PDFs or not.
        room: how many may be read.
    """
    if len(source.inside) >= MOST_LEVELS:
        room = 0
    names: set[str] = set()
    left = 0
    for index, each in enumerate(attachments):
        if not each.is_pdf:
            continue
        if len(names) >= room:
            left += 1
            continue
        name = _unique(f"{source.name}{SEPARATOR}{_named(each, index)}", names)
        yield Source(name, source.path, each.size_bytes, inside=(*source.inside, index))
    if left:
        error = (
            f"{counted(left, 'attachment')} not read: at most {MOST_SOURCES:,} of a file are, on "
            f"{MOST_LEVELS} levels"
        )
        yield Source(f"{source.name}{SEPARATOR}", source.path, error=error, inside=source.inside)


def top(source: Source) -> str:
    """Return the name of the file that a source is in."""
    return source.name.rsplit(SEPARATOR, len(source.inside))[0] if source.inside else source.name


def _named(attachment: Attachment, index: int) -> str:
    """Return the part of a name that an attachment adds; no attachment can pose as two levels."""
    name = source_name(" ".join(clean(attachment.name).split()))
    return name.replace(SEPARATOR, "!\\x2f") or f"{index + 1}"


def _unique(name: str, names: set[str]) -> str:
    """Return a name that is not among the names, and add it to them."""
    number, found = 1, name
    while found in names:
        number += 1
        found = f"{name}~{number}"
    names.add(found)
    return found
