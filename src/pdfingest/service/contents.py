"""What a store holds: its three folders, the keys in them, and the mark that makes it a store.

    pdfingest-store.json        the mark
    uploads/ID.pdf              the uploaded file of a ticket
    results/ID.jsonl            the records of a ticket
    scratch/…                   files before they are put; in a bucket, what tells the time
    queue/…                     the queue of `pdfingest up`, which looks after it

Owns all names and decides which are the service's own; files of other names are neither opened nor
deleted. Does not touch files: `directory_store` and `object_store` do. The mark is written when a
store is made. Without it a place that is not empty is refused, because what is in a store is
deleted when it is old, and a wrong PDFINGEST_STORE must not cost anybody files.
"""

import json
import re

from pdfingest.errors import UsageError

MARK = "pdfingest-store.json"
"""Key of the mark."""
FORMAT = 1
"""Version of the layout that this program reads and writes."""
UPLOADS, RESULTS, SCRATCH = FOLDERS = ("uploads", "results", "scratch")
"""Folders of a store, in the order in which they are made."""
QUEUE = "queue"
"""Folder of the embedded queue."""
READING = "job-"
"""Prefix of the folders in `scratch` in which workers read a file; other versions know it too."""
_ABOUT = (
    "This folder is a store of pdfingest (PDFINGEST_STORE). Files that pdfingest put into "
    "uploads/, results/ and scratch/ are deleted when they are old (PDFINGEST_KEEP)."
)
_ID = "[0-9a-f]{32}"
_OWN = {
    UPLOADS: re.compile(rf"{_ID}\.pdf"),
    RESULTS: re.compile(rf"{_ID}\.jsonl"),
    # A file before it is put, the folder of a file that is read, a file of `tempfile`.
    SCRATCH: re.compile(rf"{_ID}(\.part)?|{READING}[0-9a-z_]{{8}}|tmp[0-9a-z_]{{8}}"),
}


def upload_key(ticket_id: str) -> str:
    """Return the key of the uploaded file of a ticket."""
    return f"{UPLOADS}/{ticket_id}.pdf"


def result_key(ticket_id: str) -> str:
    """Return the key of the records of a ticket."""
    return f"{RESULTS}/{ticket_id}.jsonl"


def is_key(key: str) -> bool:
    """Tell whether a key is one that `upload_key` or `result_key` returns."""
    folder, _, name = key.partition("/")
    return folder in {UPLOADS, RESULTS} and is_own(folder, name)


def ticket_of(name: str) -> str:
    """Return the id of the ticket that a file in `uploads` or `results` belongs to."""
    return name.rpartition("/")[2].partition(".")[0]


def is_own(folder: str, name: str) -> bool:
    """Tell whether a name in one of the folders is one that this program gives."""
    return _OWN[folder].fullmatch(name) is not None


def mark() -> bytes:
    """Return the content of the mark of a new store."""
    return json.dumps({"pdfingest_store": FORMAT, "about": _ABOUT}, indent=1).encode() + b"\n"


def check_place(content: bytes | None, found: str, place: str) -> None:
    """Check that a place is a store that this program can work with, or may become one.

    Args:
        content: the mark; None if the place has none.
        found: words for something that is there and is not part of a store; empty if nothing is.
        place: the directory, or the address of the folder.

    Raises:
        UsageError: the place is neither empty nor a store, a newer version made the store, or the
            mark is damaged.
    """
    if content is None:
        if not found:
            return
        raise UsageError(
            f"{place} is not empty and not a store of pdfingest: it holds {found}. Set "
            f"PDFINGEST_STORE to an empty or a new place, such as {place.rstrip('/')}/"
            "pdfingest-store, because what is in a store is deleted when it is old."
        )
    try:
        version = json.loads(content)["pdfingest_store"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UsageError(
            f"{MARK} in {place} is damaged. If this is a store of pdfingest, delete that file and "
            "whatever else is not in one of its folders. Otherwise choose another PDFINGEST_STORE."
        ) from None
    if version != FORMAT:
        raise UsageError(
            f"the store {place} has format {version}, and this version of pdfingest knows format "
            f"{FORMAT}. Use the version that made it, or choose another PDFINGEST_STORE."
        )
