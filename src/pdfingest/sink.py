"""Sink: spool to outputs, by copying bytes. Owns the files of the output directory.

`pages.jsonl` gets whole spools and nothing else, so that a line is whole or absent; `report.jsonl`
gets one line a source, after its records; `summary.json` is replaced in one step at the end.
"""

import json
import os
import shutil
import sys
import tempfile
from abc import abstractmethod
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from io import FileIO
from types import TracebackType
from typing import BinaryIO

from pdfingest.errors import OutputError
from pdfingest.model import Extracted, Finished, Unit
from pdfingest.options import IngestOptions
from pdfingest.record import encode, report_line
from pdfingest.spool import pages_of
from pdfingest.summary import Summary

_PRIVATE = ".pdfingest"
_RECORDS = {Unit.PAGE: "pages.jsonl", Unit.DOCUMENT: "documents.jsonl"}
_COPY_BYTES = 1 << 20


class Sink(AbstractContextManager["Sink"]):
    """Where records and report lines go."""

    def __init__(self, spool_folder: str) -> None:
        self.spool_folder = spool_folder
        self._spools = 0

    def new_spool(self) -> str:
        """A path for the spool of one job."""
        self._spools += 1
        return os.path.join(self.spool_folder, f"{self._spools}.jsonl")

    def commit(self, finished: Finished, summary: Summary) -> None:
        """Move the records of a source on, write its report line, drop its spool."""
        if isinstance(finished.outcome, Extracted):
            self._append(finished.spool)
        self._report_on(finished)
        summary.add(finished)
        for path in (finished.spool, pages_of(finished.spool)) if finished.spool else ():
            with suppress(FileNotFoundError):  # a child that died early left nothing
                os.unlink(path)

    def end(self, summary: Summary) -> None:
        """Write what stands at the end of a run; nothing by default."""

    @abstractmethod
    def _append(self, spool: str) -> None:
        """Append the bytes of a spool to the records."""

    @abstractmethod
    def _report_on(self, finished: Finished) -> None:
        """Write the report line of one source."""


def open_sink(options: IngestOptions, digest: str) -> Sink:
    """The sink that the options ask for.

    Raises:
        OutputError: the output directory cannot be made or written.
    """
    if options.to_stdout:
        return StreamSink(sys.stdout.buffer)
    return DirectorySink(options, digest)


class DirectorySink(Sink):
    """Files in a directory."""

    def __init__(self, options: IngestOptions, digest: str) -> None:
        spool_folder = os.path.join(options.output, _PRIVATE, "spool")
        super().__init__(spool_folder)
        self._output = options.output
        self._digest = digest
        with _told(options.output):
            shutil.rmtree(spool_folder, ignore_errors=True)
            os.makedirs(spool_folder)
            self._records = _open(os.path.join(options.output, _RECORDS[options.unit]))
            self._report = _open(os.path.join(options.output, "report.jsonl"))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.spool_folder, ignore_errors=True)
        with _told(self._output), self._records, self._report:
            if error is None:  # else the reason of the run's end must not be covered by another
                os.fsync(self._records.fileno())
                os.fsync(self._report.fileno())

    def end(self, summary: Summary) -> None:
        """Replace `summary.json` in one step, so that a reader never sees half of it."""
        path = os.path.join(self._output, "summary.json")
        with _told(self._output):
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                json.dump(summary.to_json(), file, ensure_ascii=False, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(f"{path}.new", path)

    def _append(self, spool: str) -> None:
        """Append the bytes of a spool to the records."""
        with _told(self._output), open(spool, "rb", buffering=0) as file:
            _append_whole(self._records, iter(partial(file.read, _COPY_BYTES), b""))

    def _report_on(self, finished: Finished) -> None:
        """Write the report line of one source."""
        with _told(self._output):
            _append_whole(self._report, [encode(report_line(finished, self._digest))])


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

    def _append(self, spool: str) -> None:
        """Copy a spool to the stream, at once, for a reader that waits."""
        if self._stream is not None:
            with _told("stdout"), open(spool, "rb", buffering=0) as file:
                shutil.copyfileobj(file, self._stream, _COPY_BYTES)
                self._stream.flush()

    def _report_on(self, finished: Finished) -> None:
        """Nowhere: the stream carries records only."""


def _open(path: str) -> FileIO:
    """An empty output file; what an earlier run left there is replaced."""
    return FileIO(path, "w")


def _append_whole(file: FileIO, pieces: Iterable[bytes]) -> None:
    """Append all the pieces, or nothing of them."""
    end = file.tell()
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError:
        with suppress(OSError):  # take the torn tail back, where the disk still lets us
            file.truncate(end)
            file.seek(end)
        raise


@contextmanager
def _told(output: str) -> Generator[None, None, None]:
    """Turn what the operating system says of the output into what the user can do."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputError("the program that reads stdout has gone away") from error
    except OSError as error:
        raise OutputError(
            f"cannot write to {output}: {error.strerror or error}. "
            "Free some space, check its permissions, or name another --output."
        ) from error
