"""Sink: spool to outputs, by copying bytes. Owns the files that users read.

`pages.jsonl` gets whole spools and nothing else, so that a line is whole or absent; `report.jsonl`
gets one line a source, after its records; `summary.json` is replaced in one step at the end. Which
of these bytes count, the ledger knows: a sink begins where the last commit ended.
"""

import json
import os
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from io import FileIO
from types import TracebackType
from typing import Any, BinaryIO

from pdfingest.errors import OutputError
from pdfingest.exchange.record import encode, report_line
from pdfingest.exchange.spool import pages_of
from pdfingest.model import Extracted, Finished, Unchanged, Unit
from pdfingest.output.layout import RECORDS, REPORT, SUMMARY, private, sync_folder, told
from pdfingest.output.ledger import Place
from pdfingest.output.summary import Summary

_COPY_BYTES = 64 << 10
"""Below what malloc maps apart (mallopt(3), M_MMAP_THRESHOLD): the first larger block that is freed
raises that bound, and the heap keeps blocks of its size from then on."""


class Sink(AbstractContextManager["Sink"]):
    """Where records and report lines go."""

    def __init__(self, spool_folder: str) -> None:
        self.spool_folder = spool_folder
        self._spools = 0

    def new_spool(self) -> str:
        """A path for the spool of one job."""
        self._spools += 1
        return os.path.join(self.spool_folder, f"{self._spools}.jsonl")

    def write(self, finished: Finished) -> Place:
        """Move the records of a source on, write its report line, drop its spool."""
        place = self._write(finished)
        for path in (finished.spool, pages_of(finished.spool)) if finished.spool else ():
            with suppress(FileNotFoundError):  # a child that died early left nothing
                os.unlink(path)
        return place

    def sync(self) -> Mapping[str, int]:
        """Bring what was written to the disk; gives the length of each output, by name."""
        return {}

    def earlier_memory(self) -> Mapping[str, Any]:
        """Give what the summary of the run before says of memory; nothing by default."""
        return {}

    def end(self, summary: Summary) -> None:
        """Write what stands at the end of a run; nothing by default."""

    @abstractmethod
    def _write(self, finished: Finished) -> Place:
        """Append the records and the report line of a source."""


class _Output:
    """A file that grows, and its length, which to ask the system for takes longer than to count."""

    def __init__(self, path: str) -> None:
        self._file = FileIO(path, "a")
        self.length = self._file.tell()

    def append(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Append all the pieces, or nothing of them."""
        length = self.length
        try:
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    written = self._file.write(rest)
                    length += written
                    rest = rest[written:]
        except OSError:
            with suppress(OSError):  # take the torn tail back, where the disk still lets us
                self._file.truncate(self.length)
            raise
        self.length = length

    def sync(self) -> None:
        """Bring what was appended to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class DirectorySink(Sink):
    """Files in a directory, which exists.

    Args:
        folder: the directory.
        unit: what a record holds.
        digest: of the options, for the report.
        lengths: committed length of each output, by name; what is behind it is cut off.
        report_unchanged: whether a source that is unchanged has a report line.

    Raises:
        OutputError: the directory cannot be written, or holds outputs that no ledger knows.
    """

    def __init__(
        self,
        folder: str,
        unit: Unit,
        digest: str,
        lengths: Mapping[str, int],
        *,
        report_unchanged: bool = False,
    ) -> None:
        super().__init__(private(folder, "spool"))
        self._report_unchanged = report_unchanged
        self._folder = folder
        self._digest = digest
        self._records_name = RECORDS[unit]
        with told(folder):
            for name in (*RECORDS.values(), REPORT):
                _cut(os.path.join(folder, name), lengths.get(name))
            shutil.rmtree(self.spool_folder, ignore_errors=True)
            os.makedirs(self.spool_folder)
            self._records = _Output(os.path.join(folder, self._records_name))
            self._report = _Output(os.path.join(folder, REPORT))
            self._buffer = memoryview(bytearray(_COPY_BYTES))
            sync_folder(folder)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.spool_folder, ignore_errors=True)
        self._records.close()
        self._report.close()

    def sync(self) -> Mapping[str, int]:
        """Bring what was written to the disk; gives the length of each output, by name."""
        with told(self._folder):
            self._records.sync()
            self._report.sync()
        return {self._records_name: self._records.length, REPORT: self._report.length}

    def earlier_memory(self) -> Mapping[str, Any]:
        """Give what the summary of the run before says of memory; empty if there is none."""
        try:
            with open(os.path.join(self._folder, SUMMARY), encoding="utf-8") as file:
                memory: Mapping[str, Any] = json.load(file)["memory"]
                return memory
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def end(self, summary: Summary) -> None:
        """Replace `summary.json` in one step, so that a reader never sees half of it."""
        path = os.path.join(self._folder, SUMMARY)
        with told(self._folder):
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                json.dump(summary.to_json(), file, ensure_ascii=False, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(f"{path}.new", path)

    def _write(self, finished: Finished) -> Place:
        """Append the records and the report line of a source."""
        with told(self._folder):
            records_at, report_at = self._records.length, self._report.length
            if isinstance(finished.outcome, Extracted) and finished.outcome.pages:
                with _records_of(finished) as file:
                    self._records.append(_pieces(file, self._buffer))
            if self._report_unchanged or not isinstance(finished.outcome, Unchanged):
                self._report.append([encode(report_line(finished, self._digest))])
        records_bytes = self._records.length - records_at
        name = self._records_name if records_bytes else ""
        return Place(name, records_at, records_bytes, report_at, self._report.length - report_at)


class StreamSink(Sink):
    """Records to a stream, such as stdout, or to nobody; no report, no summary."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pdfingest-")
        super().__init__(self._folder.name)
        self._stream = stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def _write(self, finished: Finished) -> Place:
        """Copy the records to the stream, at once, for a reader that waits."""
        outcome = finished.outcome
        if self._stream is not None and isinstance(outcome, Extracted) and outcome.pages:
            with told("stdout"), _records_of(finished) as file:
                shutil.copyfileobj(file, self._stream, _COPY_BYTES)
                self._stream.flush()
            return Place(records="-")
        return Place()


def _cut(path: str, length: int | None) -> None:
    """Cut an output back to its committed length; None if there was never a commit."""
    found = os.path.getsize(path) if os.path.exists(path) else 0
    if found > (length or 0) and length is None:
        raise OutputError(
            f"{path} is there, but no ledger knows it. Move it away, or name another --output."
        )
    if found < (length or 0):
        raise OutputError(
            f"{path} has {found:,} bytes, but the ledger has committed {length:,}. Bring it back, "
            "or move the whole directory away to begin anew."
        )
    if length is not None and found > length:
        os.truncate(path, length)


def _records_of(finished: Finished) -> FileIO:
    """Open the spool of a source that has pages.

    Raises:
        RuntimeError: it is empty. A report line that says `ok` would lose the source in silence.
    """
    file = FileIO(finished.spool)
    if not os.fstat(file.fileno()).st_size:
        file.close()
        raise RuntimeError(f"{finished.source.name} has pages, but no records")
    return file


def _pieces(file: FileIO, buffer: memoryview) -> Iterator[memoryview]:
    """The content of a file, each piece in the place of the one before."""
    while length := file.readinto(buffer):
        yield buffer[:length]
