"""Curves and bars in ASCII, for any terminal and log; marks, not colours, tell curves apart."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.text import Text

from pdfingest.report.figures import histogram
from pdfingest.text import mib

_ROWS = 12
MARKS = (("o", "blue"), ("+", "red"))
"""Mark and colour of the first and of the second curve, which are isolated and reused."""


def curves(series: Sequence[tuple[str, Sequence[tuple[int, int]]]], width: int) -> Iterator[Text]:
    """Draw bytes over files, each curve with a mark of its own; the axis of bytes begins at 0.

    Args:
        series: name and points (files, bytes) of each curve, at most two.
        width: number of columns to fill.
    """
    points = [point for _, each in series for point in each]
    if not points:
        return
    most_files = max(files for files, _ in points) or 1
    most_bytes = max(held for _, held in points) or 1
    labels = [f"{most_bytes * (_ROWS - row) / _ROWS / 2**20:,.0f} MiB" for row in range(_ROWS)]
    indent = max(map(len, labels))
    columns = max(width - indent - 3, 10)
    # Row 0 is the top. The second curve is drawn over the first where both are in one cell.
    grid = [[" "] * columns for _ in range(_ROWS)]
    for (_, each), (mark, _) in zip(series, MARKS, strict=False):
        for column, held in _by_column(each, most_files, columns):
            grid[_ROWS - 1 - min(held * _ROWS // (most_bytes + 1), _ROWS - 1)][column] = mark
    for row, cells in enumerate(grid):
        label = "" if row % 3 else labels[row]  # a label on every row would hide the curve
        yield _colored(f"{label:>{indent}} |{''.join(cells)}")
    yield Text(f"{'0':>{indent}} +{'-' * columns}")
    end = f"{most_files:,} files"
    yield Text(f"{'':{indent}}  0{end:>{columns - 1}}")
    for (name, _), (mark, color) in zip(series, MARKS, strict=False):
        blank = " " * max(min(indent, width - len(name) - 4), 0)
        yield Text.assemble(f"{blank}  ", (mark, color), f" {name}")


def _by_column(
    points: Sequence[tuple[int, int]], most_files: int, columns: int
) -> Iterator[tuple[int, int]]:
    """Yield each column from the first point on, and its highest value, or the one before it."""
    highest: dict[int, int] = {}
    for files, held in points:
        column = min(files * columns // most_files, columns - 1)
        highest[column] = max(highest.get(column, 0), held)
    for column, following in pairwise([*sorted(highest), columns]):
        for each in range(column, following):
            yield each, highest[column]


def _colored(line: str) -> Text:
    text = Text(line)
    for mark, color in MARKS:
        text.highlight_regex(f"(?<=[| +o])[{mark}]", color)  # inside the axes, not in a label
    return text


def bars(values: Sequence[int], width: int) -> Iterator[Text]:
    """Draw how many of the values, which are sizes in bytes, are in which range."""
    bins = histogram(values)
    most = max((count for _, _, count in bins), default=0)
    labels = [f"{mib(low).removesuffix(' MiB')} - {mib(high)}" for low, high, _ in bins]
    indent = max(map(len, labels), default=0) + 2
    for label, (_, _, count) in zip(labels, bins, strict=True):
        room = max(width - indent - len(f"   {count:,}"), 5)
        # Rounded up: one file alone in a bin is what a reader looks for, among thousands.
        yield Text(f"{label:>{indent}}  {'#' * (-(-count * room // most))} {count:,}")
