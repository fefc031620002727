"""Compaction: outputs rewritten to the newest state of each source, in the order of their names.

What later runs replaced is dropped, and what belongs to sources that are gone; of the report, each
source keeps the line that says how its present state came about. The parts that shards wrote are
merged into the directory above them and stay as they are: the next sharded run builds on them.

New files are written beside the old ones. Only when they are on the disk does the ledger commit to
them, and only then do they take their names; a run that finds such a commit finishes it (`settle`).
So a kill at any instant leaves the old state or the new one.
"""

import os
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import BinaryIO, NamedTuple

from pdfingest.errors import LedgerError, NoInputError, OutputError
from pdfingest.output.layout import REPORT, ledger_of, output_errors, parts_of, sync_folder
from pdfingest.output.ledger import Ledger
from pdfingest.output.lock import held
from pdfingest.shard import Shard

_COPY_BYTES = 1 << 20
# `newest` gathers the newest state of each source from all ledgers; `moved` says where its records
# and its report line are in the new outputs.
_TABLES = """
CREATE TEMP TABLE newest (
    name TEXT PRIMARY KEY, finished_at REAL,
    records TEXT, records_at INTEGER, records_bytes INTEGER,
    report_at INTEGER, report_bytes INTEGER, part INTEGER
) WITHOUT ROWID;
CREATE TEMP TABLE moved (
    name TEXT PRIMARY KEY, records_at INTEGER, report_at INTEGER
) WITHOUT ROWID;
"""
_EACH_STATE = """
SELECT name, finished_at, records, records_at, records_bytes, report_at, report_bytes FROM source
WHERE name > ? ORDER BY name LIMIT ?
"""
# A source may be in several parts, if the number of shards was changed: the newest state wins.
_TAKE = """
INSERT OR REPLACE INTO newest
SELECT * FROM (SELECT ? AS name, ? AS finished_at, ?, ?, ?, ?, ?, ?) AS state WHERE NOT EXISTS (
    SELECT 1 FROM newest WHERE name = state.name AND finished_at >= state.finished_at
)
"""
_EACH_NEWEST = """
SELECT name, records, records_at, records_bytes, report_at, report_bytes, part FROM newest
WHERE name > ? ORDER BY name LIMIT ?
"""
_MOVE = """
UPDATE source SET
    records_at = (SELECT records_at FROM moved WHERE moved.name = source.name),
    report_at = (SELECT report_at FROM moved WHERE moved.name = source.name)
"""


class Compacted(NamedTuple):
    """What a compaction did."""

    sources: int
    """Number of sources that have a state."""
    before_bytes: int
    """Length of all outputs before it."""
    after_bytes: int
    unfinished: tuple[str, ...]
    """Directories whose newest run did not come to its end: some sources may be missing."""


def compact(output: str, wait_s: float = 0.0, *, is_held: bool = False) -> Compacted:
    """Rewrite the outputs of a directory to the newest state of each source.

    Args:
        output: output directory of earlier runs, or the directory above the parts of shards.
        wait_s: how long to wait for a run that works on it.
        is_held: whether the caller holds the lock of the directory already.

    Raises:
        NoInputError: no run wrote there.
        OutputError: the directory cannot be written, or a part is missing.
        OutputBusyError: a run works on it.
        LedgerError: a ledger cannot be read.
    """
    whole = os.path.exists(ledger_of(output))
    folders = [output] if whole or not os.path.isdir(output) else parts_of(output)
    if not folders or not os.path.exists(ledger_of(folders[0])):
        raise NoInputError(f"{output} holds no output of a run. Name what --output named.")
    if not whole:
        _check_whole(output, folders)
    _allow_many_files()
    with ExitStack() as stack:
        for folder in () if is_held else sorted({output, *folders}):
            stack.enter_context(held(folder, wait_s))
        home = stack.enter_context(Ledger(ledger_of(output) if whole else ""))
        home.database.script(_TABLES)
        gathered: list[_Gathered] = []
        for number, folder in enumerate(folders):
            with nullcontext(home) if whole else Ledger(ledger_of(folder)) as ledger:
                gathered.append(_gather(folder, number, ledger, home))
        with _cleared_on_error(output, gathered):
            sources, lengths = _rewrite(output, gathered, home)
        if whole:
            _commit(output, lengths, home)
            settle(output, home)
        else:
            _rename(output, lengths)
    return Compacted(
        sources,
        before_bytes=sum(sum(each.lengths.values()) for each in gathered),
        after_bytes=sum(lengths.values()),
        unfinished=tuple(each.folder for each in gathered if each.unfinished),
    )


def settle(folder: str, ledger: Ledger) -> None:
    """Finish a compaction that was killed: rename its files if it was committed, else remove them.

    Raises:
        OutputError: the directory cannot be written.
    """
    if names := ledger.renaming():
        _rename(folder, names)
        ledger.end_renaming()
        return
    for name in ledger.lengths():
        with suppress(OSError):
            os.unlink(_new(folder, name))


def _commit(output: str, lengths: Mapping[str, int], home: Ledger) -> None:
    """Commit to the new files."""
    try:
        home.database.change(_MOVE)
        home.begin_renaming(lengths)
    except LedgerError:
        # A commit whose fsync fails may be on the disk all the same, and then needs the new files.
        # So the ledger is asked, by a new connection, before they are removed to free a full disk.
        home.database.connection.close()
        with suppress(LedgerError), Ledger(home.database.path) as ledger:
            settle(output, ledger)
        raise


def _rename(folder: str, names: Iterable[str]) -> None:
    with output_errors(folder):
        for name in names:
            with suppress(FileNotFoundError):  # a compaction that was killed had renamed it
                os.replace(_new(folder, name), os.path.join(folder, name))
        sync_folder(folder)


def _new(folder: str, name: str) -> str:
    """Return where an output is written before it replaces the old one."""
    return os.path.join(folder, f"{name}.new")


@contextmanager
def _cleared_on_error(output: str, gathered: "Sequence[_Gathered]") -> Generator[None, None, None]:
    """Remove the new files if they cannot be finished: on a full disk, they keep it full."""
    try:
        yield
    except BaseException:
        for name in {name for each in gathered for name in each.lengths}:
            with suppress(OSError):
                os.unlink(_new(output, name))
        raise


def _check_whole(output: str, parts: Sequence[str]) -> None:
    """Refuse to merge if parts are missing, since their sources would silently be lost."""
    names = {os.path.basename(part) for part in parts}
    for count in {int(name.rpartition("-")[2]) for name in names}:
        missing = [index for index in range(count) if Shard(index, count).part not in names]
        if missing:
            shard = f"--shard {missing[0]}/{count}"
            raise OutputError(
                f"{output} lacks {len(missing):,} of {count:,} parts. Run {shard}, or remove the "
                f"parts of {count} that are there."
            )


def _allow_many_files() -> None:
    """Raise the soft limit on descriptors, since each part takes two files and a lock."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - absent on Windows

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Gathered(NamedTuple):
    """What the ledger of one directory says of it."""

    folder: str
    lengths: Mapping[str, int]
    """Length of each output in bytes, by name."""
    unfinished: bool
    """Whether its newest run did not come to its end."""


def _gather(folder: str, part: int, ledger: Ledger, home: Ledger) -> _Gathered:
    """Take the states of a ledger's sources into `newest`, if they are newer than what is there."""
    settle(folder, ledger)
    states = ledger.database.walk(_EACH_STATE, "")
    home.database.fill(_TAKE, ((*state, part) for state in states))
    return _Gathered(folder, ledger.lengths(), ledger.was_interrupted())


def _rewrite(
    output: str, gathered: Sequence[_Gathered], home: Ledger
) -> tuple[int, dict[str, int]]:
    """Write new outputs, and note in `moved` where things are in them.

    Returns:
        The number of sources, and the length of each new output in bytes, by name.
    """
    names = sorted({name for each in gathered for name in each.lengths})
    sources = 0
    # The files are closed within `output_errors`: on a full disk, closing may fail too.
    with output_errors(output), ExitStack() as stack:
        targets = {name: stack.enter_context(open(_new(output, name), "wb")) for name in names}
        origins = {
            (part, name): stack.enter_context(open(os.path.join(each.folder, name), "rb"))
            for part, each in enumerate(gathered)
            for name in each.lengths
        }
        for row in home.database.walk(_EACH_NEWEST, ""):
            name, records, records_at, records_bytes, report_at, report_bytes, part = row
            moved = (targets[records].tell() if records else 0, targets[REPORT].tell())
            if records:
                _copy(origins[part, records], records_at, records_bytes, targets[records])
            _copy(origins[part, REPORT], report_at, report_bytes, targets[REPORT])
            home.database.change("INSERT INTO moved VALUES (?, ?, ?)", (name, *moved))
            sources += 1
        for file in targets.values():
            file.flush()
            os.fsync(file.fileno())
        return sources, {name: file.tell() for name, file in targets.items()}


def _copy(origin: BinaryIO, at: int, length: int, target: BinaryIO) -> None:
    """Copy a range of bytes; an OutputError if the origin is shorter than its ledger says."""
    origin.seek(at)
    while length:
        chunk = origin.read(min(_COPY_BYTES, length))
        if not chunk:
            raise OutputError(
                f"{origin.name} is shorter than its ledger says. Bring it back, or ingest again "
                "with --force."
            )
        target.write(chunk)
        length -= len(chunk)
