"""Sinks: where the records and report lines of a run go. Bytes are copied, never decoded.

`DirectorySink` owns the files that users read. `pages.jsonl` gets whole spools and nothing else, so
that a line is whole or absent; `report.jsonl` gets one line for each source, after its records;
`summary.json` is replaced in one step at the end. Which of these bytes count is up to the ledger: a
sink begins where the last commit ended.
"""

import json
import os
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from io import FileIO
from typing import Any, BinaryIO

from pdfingest.errors import OutputError
from pdfingest.exchange.record import encode
from pdfingest.exchange.report_line import report_line
from pdfingest.exchange.spool import files_of
from pdfingest.model import Unit
from pdfingest.outcome import Extracted, Finished, Status
from pdfingest.output.layout import RECORDS, REPORT, SUMMARY, output_errors, private, sync_folder
from pdfingest.output.ledger import Place
from pdfingest.output.summary import Summary

# Below the size from which malloc maps a block apart (mallopt(3), M_MMAP_THRESHOLD): once a larger
# block is freed, malloc raises that size, and the heap keeps such blocks from then on.
_COPY_BYTES = 64 << 10


class Sink(AbstractContextManager["Sink"]):
    """Where the records and report lines of a run go.

    Args:
        spool_folder: directory in which children write their spools.
    """

    def __init__(self, spool_folder: str) -> None:
        self.spool_folder = spool_folder
        self._spools = 0
        self._buffer = memoryview(bytearray(_COPY_BYTES))

    def new_spool(self) -> str:
        """Return a path for the spool of a job that no other job has."""
        self._spools += 1
        return os.path.join(self.spool_folder, f"{self._spools}.jsonl")

    def write(self, finished: Finished) -> Place:
        """Write the records and the report line of a source, and remove its spool.

        Returns:
            Where they are in the outputs.

        Raises:
            OutputError: there is no space.
            ReaderGoneError: the program that reads the stream has ended.
        """
        place = self._write(finished)
        for path in files_of(finished.spool) if finished.spool else ():
            with suppress(FileNotFoundError):  # a child that died early wrote none
                os.unlink(path)
        return place

    def sync(self) -> Mapping[str, int]:
        """Bring what was written to the disk, and return the length of each output, by name."""
        return {}

    def earlier_memory(self) -> Mapping[str, Any]:
        """Return what the summary of the run before says of memory; by default nothing."""
        return {}

    def end(self, summary: Summary) -> None:
        """Write what is known at the end of a run; by default nothing."""

    @abstractmethod
    def _write(self, finished: Finished) -> Place:
        """Append the records and the report line of a source."""

    def _pieces(self, finished: Finished) -> Iterator[memoryview]:
        """Yield the records of a source in pieces, each of which overwrites the one before.

        Raises:
            RuntimeError: the spool is empty. A report line that says `ok` would then hide a loss.
        """
        with FileIO(finished.spool) as file:
            if not os.fstat(file.fileno()).st_size:
                raise RuntimeError(f"{finished.source.name} has pages, but no records")
            while length := file.readinto(self._buffer):
                yield self._buffer[:length]


class _Output:
    """A file that grows. Its length is counted, which is faster than to ask the system for it."""

    def __init__(self, path: str) -> None:
        self._file = FileIO(path, "a")
        self.length = self._file.tell()

    def append(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Append all pieces, or none of them if that fails."""
        length = self.length
        try:
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    written = self._file.write(rest)
                    length += written
                    rest = rest[written:]
        except OSError:
            with suppress(OSError):  # the next run cuts off what cannot be cut off now
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
    """A sink that writes files in a directory, which must exist.

    Args:
        folder: the directory.
        unit: what a record holds.
        digest: digest of the options, for the report.
        lengths: committed length of each output, by name; what follows it is cut off.
        report_unchanged: whether a source that is unchanged gets a report line.

    Raises:
        OutputError: the directory cannot be written, or its outputs are not those of its ledger.
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
        with output_errors(folder):
            for name in (*RECORDS.values(), REPORT):
                _cut(os.path.join(folder, name), lengths.get(name))
            shutil.rmtree(self.spool_folder, ignore_errors=True)
            os.makedirs(self.spool_folder)
            self._records = _Output(os.path.join(folder, self._records_name))
            self._report = _Output(os.path.join(folder, REPORT))
            sync_folder(folder)

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.spool_folder, ignore_errors=True)
        self._records.close()
        self._report.close()

    def sync(self) -> Mapping[str, int]:
        """Bring what was written to the disk, and return the length of each output, by name."""
        with output_errors(self._folder):
            self._records.sync()
            self._report.sync()
        return {self._records_name: self._records.length, REPORT: self._report.length}

    def earlier_memory(self) -> Mapping[str, Any]:
        """Return what the summary of the run before says of memory; empty if there is none."""
        try:
            with open(os.path.join(self._folder, SUMMARY), encoding="utf-8") as file:
                memory: Mapping[str, Any] = json.load(file)["memory"]
                return memory
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def end(self, summary: Summary) -> None:
        """Replace `summary.json` in one step, so that a reader never sees half of it."""
        path = os.path.join(self._folder, SUMMARY)
        with output_errors(self._folder):
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                json.dump(summary.to_json(), file, ensure_ascii=False, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(f"{path}.new", path)

    def _write(self, finished: Finished) -> Place:
        with output_errors(self._folder):
            records_at, report_at = self._records.length, self._report.length
            if _has_records(finished):
                self._records.append(self._pieces(finished))
            if self._report_unchanged or finished.outcome.status is not Status.UNCHANGED:
                self._report.append([encode(report_line(finished, self._digest))])
        records_bytes = self._records.length - records_at
        name = self._records_name if records_bytes else ""
        return Place(name, records_at, records_bytes, report_at, self._report.length - report_at)


class StreamSink(Sink):
    """A sink that copies records to a stream, such as stdout, without report and summary.

    Args:
        stream: the stream; None to write no records, for a caller that reads the spools.
    """

    def __init__(self, stream: BinaryIO | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pdfingest-")
        super().__init__(self._folder.name)
        self._stream = stream

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def _write(self, finished: Finished) -> Place:
        """Copy the records of a source, and flush the stream for a reader that waits."""
        if self._stream is None or not _has_records(finished):
            return Place()
        with output_errors("stdout"):
            for piece in self._pieces(finished):
                self._stream.write(piece)
            self._stream.flush()
        return Place(records="-")


def _cut(path: str, length: int | None) -> None:
    """Cut an output back to its committed length; None if none was ever committed.

    Raises:
        OutputError: the output is shorter than that, or the ledger does not know it.
    """
    found = os.path.getsize(path) if os.path.exists(path) else 0
    if found and length is None:
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


def _has_records(finished: Finished) -> bool:
    """Return whether records of a source are to be written: none are of a skipped duplicate."""
    return isinstance(finished.outcome, Extracted) and finished.outcome.pages > 0
