"""The protocol of an OCR engine, for whoever writes one.

A package registers a module, or any object that has these functions, under a name, for `--ocr`:

    [project.entry-points."pdfingest.ocr"]
    mine = "my_package.ocr"

`languages` and `folders` run in the parent before the run starts, so their module must not import
the library that reads; `open_reader` may. A reader lives in a child, within a sandbox and limits,
and reads one picture after the other in one thread.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol


class Picture(NamedTuple):
    """A page, or a part of it, in shades of grey."""

    data: bytes
    """One byte a pixel, 0 is black; the rows from the top, with nothing between them."""
    width: int
    """Pixels of a row."""
    height: int
    """Number of rows."""
    dpi: float
    """Pixels an inch of the page."""


class Word(NamedTuple):
    """A word of a line. Lengths are in pixels from the left and the top of the picture."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float
    """How sure the engine is, from 0 to 1."""


class Line(NamedTuple):
    """A line of text, whose words stand side by side."""

    words: tuple[Word, ...]
    """From left to right, but as they are read in scripts that are written from right to left."""
    baseline: float
    """y of the line on which the letters stand, in the middle of the line. Of a line that is not
    horizontal: its y after the picture is turned around its left upper corner by `angle`,
    clockwise, which makes the line horizontal."""
    size: float
    """Height of an em, in pixels, as well as the engine can tell."""
    angle: int = 0
    """Direction of reading, in degrees counterclockwise: 0, 90, 180 or 270."""


class Sight(NamedTuple):
    """What an engine read in a picture."""

    lines: tuple[Line, ...]
    """In the order of the engine, which need not be that in which they are read."""
    skew: float = 0.0
    """Angle in degrees, counterclockwise, by which the horizontal lines of the picture rise."""


class Reader(Protocol):
    """Reads pictures in some languages."""

    def read(self, picture: Picture) -> Sight:
        """Read a picture. Whatever this raises costs the text of that picture alone."""
        ...

    def close(self) -> None:
        """Release what the reader holds. What this raises is ignored."""
        ...


class OcrEngine(Protocol):
    """What an entry point leads to."""

    def languages(self) -> Collection[str]:
        """Return the codes of the languages that can be read here, such as `eng` or `chi_sim`."""
        ...

    def missing(self, language: str) -> str:
        """Say how to install a language that is not there, as one sentence for the user."""
        ...

    def folders(self) -> Sequence[str]:
        """Return the paths, beside those of Python and its packages, that a reader reads from."""
        ...

    def open_reader(self, languages: Sequence[str]) -> Reader:
        """Make a reader of some of `languages()`, the most likely first.

        Raises:
            ImportError: the library is not there.
            OSError: the data of a language cannot be read.
        """
        ...
