"""A line of a page: spans that stand on one baseline, and the cells that wide gaps make of it.

Runs in the child; pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pdfingest.pages import Font, Span

ROW_EMS = 0.3
"""Most that the baselines of two spans on one line differ."""
_SMALL = 0.85
"""Size of what is set above or below a line, relative to the line."""
SHIFT_EMS = 0.65
"""Most that something small is set above or below its line."""
_SPACE_EMS = 0.12
"""Least gap between two words; letters that are set one by one are closer."""
_CELL_EMS = 0.9
"""Least gap between two cells of a table, which becomes a tabulator."""


class Cell(NamedTuple):
    """A part of a line that wide gaps separate from the others."""

    text: str
    left: float
    right: float


class Line(NamedTuple):
    """A line, with the fields of a span."""

    text: str
    """With a tabulator between two cells."""
    left: float
    right: float
    baseline: float
    size: float
    font: Font
    angle: int
    cells: tuple[Cell, ...]
    """From the left; one for a line without wide gaps."""


def line_of(span: Span) -> Line:
    """Return a span as a line of its own."""
    text, left, right, baseline, size, font, angle = span
    return Line(text, left, right, baseline, size, font, angle, (Cell(text, left, right),))


def part_of(line: Line, cells: Sequence[Cell]) -> Line:
    """Return some cells of a line as a line of their own."""
    text = "\t".join([cell.text for cell in cells])
    left, right = cells[0].left, cells[-1].right
    _, _, _, baseline, size, font, angle, _ = line
    return Line(text, left, right, baseline, size, font, angle, tuple(cells))


def joined(spans: Iterable[Span]) -> Iterator[Line]:
    """Yield lines: what stands on one baseline, with what is set small above or below it."""
    line: Line | None = None
    for span in spans:
        if line is not None and _continues(line, span):
            line = _with(line, span)
        else:
            if line is not None:
                yield line
            line = line_of(span)
    if line is not None:
        yield line


def _continues(line: Line, span: Span) -> bool:
    """Whether a span stands on a line, further right."""
    if span.left < line.right - ROW_EMS * line.size or line.text.endswith("\ufffe"):
        return False
    shift = abs(span.baseline - line.baseline)
    if shift < ROW_EMS * min(line.size, span.size):
        return True
    reach = SHIFT_EMS * max(line.size, span.size)
    return _is_small(line, span) and shift < reach and span.left - line.right < line.size / 2


def _is_small(a: Line, b: Span) -> bool:
    """Whether one of the two is set small, as what stands above or below a line is."""
    return min(a.size, b.size) < _SMALL * max(a.size, b.size)


def _with(line: Line, span: Span) -> Line:
    """Return a line that goes on with a span; a power is no part of its number."""
    is_main = len(line.text) * line.size**2 >= len(span.text) * span.size**2
    main = line if is_main else line_of(span)
    gap = span.left - line.right
    is_power = line.text[-1:].isdigit() and span.text[:1].isdigit() and _is_small(line, span)
    if gap > _CELL_EMS * main.size:
        text = f"{line.text.rstrip()}\t{span.text}"
        cells = (*line.cells, Cell(span.text, span.left, span.right))
    else:
        is_apart = gap > _SPACE_EMS * main.size and not line.text.endswith(" ")
        more = f" {span.text}" if is_apart or is_power else span.text
        last = line.cells[-1]
        text = line.text + more
        cells = (*line.cells[:-1], Cell(last.text + more, last.left, max(last.right, span.right)))
    right = max(line.right, span.right)
    return Line(text, line.left, right, main.baseline, main.size, main.font, line.angle, cells)
