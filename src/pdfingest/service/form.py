"""The parts of a multipart form, as they come: short fields, and files that are not kept here.

Owns what a form may hold. Does not use `request.form()`, which would keep the file in a spool of
its own first, so that each upload were written twice.
"""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from pdfingest.service.problems import Problem, invalid
from pdfingest.text import clean, printable

_FILE = "file"
_FIELDS = frozenset(
    {
        *("engine", "unit", "chunk_tokens", "chunk_overlap", "tokenizer"),
        *("format", "tables", "ocr", "ocr_lang", "password", "webhook"),
    }
)
MOST_FILES = 100
"""Files that one form may have."""
_MOST_PARTS = MOST_FILES + 40
_MOST_FIELD_BYTES = 64 << 10
"""Bytes that all fields together may have."""
_MOST_HEADERS = 8
_MOST_HEADER_BYTES = 4 << 10
_NAME_CHARS = 255
_NAMELESS = "upload.pdf"


def file_name(given: str) -> str:
    """Clean what a client calls its file: one printable line without a path (RFC 7578, 4.2)."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = printable(clean(last), _NAME_CHARS).strip()
    return _NAMELESS if shown in {"", ".", ".."} else shown


class Form:
    """A form that is fed piece by piece.

    Args:
        content_type: header of the request.
        on_name: takes the name of each file that begins.
        on_file: takes the content of that file, piece by piece.
        most_files: files that it may have.

    Raises:
        Problem: 400, the header names no boundary.
    """

    def __init__(
        self,
        content_type: str,
        on_name: Callable[[str], None],
        on_file: Callable[[memoryview], None],
        most_files: int = MOST_FILES,
    ) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
                max_header_count=_MOST_HEADERS,
                max_header_size=_MOST_HEADER_BYTES,
            )
        except FormParserError:
            raise _malformed() from None
        if not boundary:
            raise _malformed()
        self.fields: dict[str, list[str]] = {}
        """Values of the fields by name, in the order in which they came."""
        self.files = 0
        """How many files have begun."""
        self._whole = False
        self._on_name, self._on_file = on_name, on_file
        self._most_files = most_files
        self._parts = self._field_bytes = 0
        self._headers: dict[bytes, bytes] = {}
        self._header = bytearray(), bytearray()
        self._field, self._value = "", bytearray()

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            Problem: 400, it is not a form; 413, too much of something; 422, a part has no place in
                this form.
        """
        try:
            self._parser.write(piece)
        except FormParserError:
            raise _malformed() from None

    def close(self) -> None:
        """Check that the form has come to its end, with a file in it.

        Raises:
            Problem: 400, its end is missing; 422, there is no file.
        """
        if not self._whole:
            raise _malformed()
        if not self.files:
            raise _wrong(_FILE, "missing")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Problem(413, "too many parts", f"A form has at most {_MOST_PARTS} parts.")
        self._headers, self._field, self._value = {}, "", bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = bytearray(), bytearray()

    def _headers_end(self) -> None:
        """Find out what a part is, now that its headers are whole."""
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        kind, parameters = parse_options_header(disposition)
        if kind != b"form-data" or b"name" not in parameters:
            raise _malformed()
        self._field = _decoded(parameters[b"name"])
        if self._field == _FILE:
            self.files += 1
            if self.files > self._most_files:
                raise _wrong(_FILE, f"at most {self._most_files} may be sent at once")
            self._on_name(file_name(_decoded(parameters.get(b"filename", b""))))
        elif self._field not in _FIELDS:
            raise _wrong(file_name(self._field), "unknown field")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field == _FILE:
            self._on_file(memoryview(data)[start:end])
            return
        self._field_bytes += end - start
        if self._field_bytes > _MOST_FIELD_BYTES:
            raise Problem(413, "too large", f"All fields have {_MOST_FIELD_BYTES:,} bytes at most.")
        self._value += data[start:end]

    def _part_end(self) -> None:
        if self._field != _FILE:
            try:
                value = self._value.decode()
            except UnicodeDecodeError:
                raise _wrong(self._field, "not UTF-8") from None
            self.fields.setdefault(self._field, []).append(value)

    def _end(self) -> None:
        self._whole = True


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _malformed() -> Problem:
    return Problem(400, "no form", "The body is not a whole multipart/form-data with a boundary.")


def _wrong(where: str, what: str) -> Problem:
    return invalid([{"loc": ("body", where), "msg": what}])
