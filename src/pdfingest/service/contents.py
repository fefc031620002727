"""What a store holds: its three folders, the keys in them, and the mark that makes it a store.

    pdfingest-store.json        the mark
    uploads/ID.pdf              the file of a job
    results/ID.jsonl            its records
    scratch/…                   files before they are put; in a bucket, what tells the time

Whatever has another name is not ours: it is neither opened nor deleted. The mark is written when a
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
JOB = "job-"
"""How the name of a job's folder in `scratch` begins."""
_ABOUT = (
    "This folder is a store of pdfingest (PDFINGEST_STORE). Files that pdfingest put into "
    "uploads/, results/ and scratch/ are deleted when they are old (PDFINGEST_KEEP)."
)
_ID = "[0-9a-f]{32}"
_OWN = {
    UPLOADS: re.compile(rf"{_ID}\.pdf"),
    RESULTS: re.compile(rf"{_ID}\.jsonl"),
    # A file before it is put, the folder of a job, a file of `tempfile`.
    SCRATCH: re.compile(rf"{_ID}(\.part)?|{JOB}[0-9a-z_]{{8}}|tmp[0-9a-z_]{{8}}"),
}


def upload_key(job_id: str) -> str:
    """Key of the file of a job."""
    return f"{UPLOADS}/{job_id}.pdf"


def result_key(job_id: str) -> str:
    """Key of the records of a job."""
    return f"{RESULTS}/{job_id}.jsonl"


def is_key(key: str) -> bool:
    """Whether a key is one that `upload_key` or `result_key` gave."""
    folder, _, name = key.partition("/")
    return folder in {UPLOADS, RESULTS} and is_own(folder, name)


def is_own(folder: str, name: str) -> bool:
    """Whether a name in one of the folders is one that this program gives."""
    return _OWN[folder].fullmatch(name) is not None


def mark() -> bytes:
    """Content of the mark of a new store."""
    return json.dumps({"pdfingest_store": FORMAT, "about": _ABOUT}, indent=1).encode() + b"\n"


def check_mark(content: bytes, place: str) -> None:
    """See that this program can work with a store that has this mark.

    Raises:
        UsageError: a newer version made the store, or the mark is damaged.
    """
    try:
        found = json.loads(content)["pdfingest_store"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UsageError(
            f"{MARK} in {place} is damaged. If this is a store of pdfingest, delete that file, and "
            "whatever else is not in one of its folders; else choose another PDFINGEST_STORE."
        ) from None
    if found != FORMAT:
        raise UsageError(
            f"the store {place} has format {found}, and this version of pdfingest knows format "
            f"{FORMAT}. Use the version that made it, or choose another PDFINGEST_STORE."
        )


def not_ours(place: str, found: str) -> UsageError:
    """The error for a place that is not empty and has no mark.

    Args:
        place: the directory, or the address of the folder.
        found: something that is there and is not part of a store, in words.
    """
    return UsageError(
        f"{place} is not empty and not a store of pdfingest: it holds {found}. Set "
        f"PDFINGEST_STORE to an empty or a new place, such as {place.rstrip('/')}/pdfingest-store: "
        "what is in a store is deleted when it is old."
    )
