"""Lines of streamed answers, and the events that are made of them.

Owns how bytes become lines. Does not use `Response.iter_lines` of httpx: it splits like
`str.splitlines`, also at U+2028, U+0085 or a form feed, which JSON may hold as they are, so that a
record would come in two halves.
"""

import json
from collections.abc import Iterator
from typing import Any

from pdfingest.client.errors import ClientError
from pdfingest.client.jobs import Job, mapping, parse_job


class Lines:
    """Splits pieces of a stream at line feeds, and at nothing else."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []  # of a long line; joined once, so that time stays linear

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece; yields the lines that it ends, without their line feeds."""
        *ended, rest = piece.split(b"\n")
        for line in ended:
            self._begun.append(line)
            whole = b"".join(self._begun)
            self._begun.clear()
            yield whole
        if rest:
            self._begun.append(rest)

    def close(self) -> Iterator[bytes]:
        """Yield the last line if no line feed ended it."""
        if self._begun:
            yield b"".join(self._begun)
            self._begun.clear()


class Records(Lines):
    """Records out of a stream of JSONL."""

    def read(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """Take a piece of the stream; yields the records that it completes."""
        return map(_record, self.feed(piece))

    def rest(self) -> Iterator[dict[str, Any]]:
        """Yield the last record if no line feed ended it."""
        return map(_record, self.close())


class Events:
    """Jobs out of server-sent events (WHATWG HTML, 9.2.6), as far as the service uses them."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._event, self._data = b"", list[bytes]()

    def feed(self, piece: bytes) -> Iterator[Job]:
        """Take a piece of the stream; yields the jobs of the events that it completes.

        Raises:
            ClientError: an event is not one of a job.
            ValueError: the data of an event is not JSON.
        """
        for raw in self._lines.feed(piece):
            line = raw.removesuffix(b"\r")
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if not line:
                yield from self._dispatch()
            elif name == b"event":
                self._event = value
            elif name == b"data":
                self._data.append(value)  # any other is a comment, or of no use here

    def _dispatch(self) -> Iterator[Job]:
        event, data = self._event, b"\n".join(self._data)
        self._event, self._data = b"", []
        if event == b"job" and data:
            yield parse_job(json.loads(data))


def _record(line: bytes) -> dict[str, Any]:
    try:
        return mapping(json.loads(line))
    except ValueError as error:
        raise ClientError("broken stream", "A line is not JSON. Ask for the records again.") from (
            error
        )
