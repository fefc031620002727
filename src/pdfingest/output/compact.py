"""Compaction: outputs rewritten to the newest state of each source, in the order of their names.

What later runs replaced goes, and what belongs to sources that are no more; of the report, each
source keeps the line that tells how its present state came about. The parts that shards wrote are
merged into the directory above them, and stay: the next sharded run builds on them.

New files are written beside the old ones. Only when they are on the disk does the ledger commit to
them, and only then do they take their names; a run that finds such a commit finishes it (`settle`).
So a kill at any instant leaves the old state or the new one.
"""

import os
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from pdfingest.errors import LedgerError, NoInputError, OutputError
from pdfingest.output.layout import REPORT, ledger_of, parts_of, sync_folder, told
from pdfingest.output.ledger import Ledger
from pdfingest.output.lock import held
from pdfingest.shard import Shard

_COPY_BYTES = 1 << 20
# The newest state of each source in all ledgers, and where it stands in the new outputs.
_NEWEST = """
CREATE TEMP TABLE newest (
    name TEXT PRIMARY KEY, part INTEGER, finished_at REAL,
    records TEXT, records_at INTEGER, records_bytes INTEGER,
    report_at INTEGER, report_bytes INTEGER
) WITHOUT ROWID;
CREATE TEMP TABLE moved (
    name TEXT PRIMARY KEY, records_at INTEGER, report_at INTEGER
) WITHOUT ROWID;
"""
_STATES = """
SELECT name, finished_at, records, records_at, records_bytes, report_at, report_bytes FROM source
"""
_TAKE = """
INSERT OR REPLACE INTO newest SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (
    SELECT 1 FROM newest WHERE name = ? AND finished_at >= ?
)
"""
_ORDERED = """
SELECT name, part, records, records_at, records_bytes, report_at, report_bytes
FROM newest ORDER BY name
"""
_PLACES = """
UPDATE source SET
    records_at = (SELECT records_at FROM moved WHERE moved.name = source.name),
    report_at = (SELECT report_at FROM moved WHERE moved.name = source.name)
"""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    sources: int
    before_bytes: int
    """Length of all outputs."""
    after_bytes: int
    unfinished: tuple[str, ...]
    """Directories whose newest run did not come to its end: some sources may be missing."""


def compact(output: str, wait_s: float = 0.0, *, is_held: bool = False) -> Compacted:
    """Rewrite the outputs of a directory to the newest state of each source.

    Args:
        output: what earlier runs had as their output directory.
        wait_s: how long to wait for a run that works on it.
        is_held: whether the caller holds its lock already.

    Raises:
        NoInputError: there is nothing that a run wrote.
        OutputError: it cannot be written, or a part is missing.
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
        with home.told():
            home.database.executescript(_NEWEST)
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
    """Finish a compaction that was committed: give its files the names that they have not got.

    Raises:
        OutputError: the directory cannot be written.
    """
    if names := ledger.renaming():
        _rename(folder, names)
        ledger.end_renaming()
        return
    for name in ledger.lengths():  # of one that was killed before its commit
        with suppress(OSError):
            os.unlink(_new(folder, name))


def _commit(output: str, lengths: Mapping[str, int], home: Ledger) -> None:
    """Have the ledger commit to the new files.

    Raises:
        LedgerError: it cannot be written.
    """
    try:
        with home.told():
            home.database.execute("BEGIN IMMEDIATE")
            home.database.execute(_PLACES)
        home.begin_renaming(lengths)
    except LedgerError:
        # A commit whose fsync fails may still be there afterwards, and needs the new files. So the
        # ledger is asked, by a new connection, before they go and leave room on a full disk.
        home.database.close()
        with suppress(LedgerError), Ledger(home.path) as ledger:
            settle(output, ledger)
        raise


def _rename(folder: str, names: Iterable[str]) -> None:
    """Put new files in the place of the old ones."""
    with told(folder):
        for name in names:
            with suppress(FileNotFoundError):  # it was done before a kill
                os.replace(_new(folder, name), os.path.join(folder, name))
        sync_folder(folder)


def _new(folder: str, name: str) -> str:
    """Where an output is written before it takes the place of the old one."""
    return os.path.join(folder, f"{name}.new")


@contextmanager
def _cleared_on_error(output: str, gathered: "Sequence[_Gathered]") -> Generator[None, None, None]:
    """Remove the new files if they cannot be finished: where the disk is full, they keep it so."""
    try:
        yield
    except BaseException:
        for name in {name for each in gathered for name in each.lengths}:
            with suppress(OSError):
                os.unlink(_new(output, name))
        raise


def _check_whole(output: str, parts: Sequence[str]) -> None:
    """Refuse to merge parts of which some are missing: their sources would be lost in silence."""
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
    """Two files and a lock for each part may be more than the soft limit on descriptors."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - absent on Windows

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the ledger of one directory says of it."""

    folder: str
    lengths: Mapping[str, int]
    unfinished: bool


def _gather(folder: str, part: int, ledger: Ledger, home: Ledger) -> _Gathered:
    """Take the states of a ledger's sources that are newer than those of earlier parts."""
    settle(folder, ledger)
    with ledger.told(), home.told():
        execute = home.database.execute
        execute("BEGIN")
        with closing(ledger.database.execute(_STATES)) as rows:
            for name, finished_at, *place in rows:
                execute(_TAKE, (name, part, finished_at, *place, name, finished_at))
        execute("COMMIT")
    return _Gathered(folder, ledger.lengths(), ledger.was_interrupted())


def _rewrite(
    output: str, gathered: Sequence[_Gathered], home: Ledger
) -> tuple[int, dict[str, int]]:
    """Write new outputs, and note in `moved` where things stand in them.

    Returns:
        The number of sources, and the length of each new output, by name.
    """
    names = sorted({name for each in gathered for name in each.lengths})
    sources = 0
    # The files are closed within `told`: what they hold back then may not find room either.
    with told(output), home.told(), ExitStack() as stack:
        targets = {name: stack.enter_context(open(_new(output, name), "wb")) for name in names}
        origins = {
            (part, name): stack.enter_context(open(os.path.join(each.folder, name), "rb"))
            for part, each in enumerate(gathered)
            for name in each.lengths
        }
        execute = home.database.execute
        execute("BEGIN")
        # Closed on errors too: a connection lives, and locks the ledger, as long as its queries.
        rows: Iterable[Any] = stack.enter_context(closing(execute(_ORDERED)))
        for name, part, records, records_at, records_bytes, report_at, report_bytes in rows:
            moved = (targets[records].tell() if records else 0, targets[REPORT].tell())
            if records:
                _copy(origins[part, records], records_at, records_bytes, targets[records])
            _copy(origins[part, REPORT], report_at, report_bytes, targets[REPORT])
            execute("INSERT INTO moved VALUES (?, ?, ?)", (name, *moved))
            sources += 1
        execute("COMMIT")
        for file in targets.values():
            file.flush()
            os.fsync(file.fileno())
        return sources, {name: file.tell() for name, file in targets.items()}


def _copy(origin: BinaryIO, at: int, length: int, target: BinaryIO) -> None:
    """Copy a range of bytes.

    Raises:
        OutputError: the origin is shorter than its ledger says.
    """
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
