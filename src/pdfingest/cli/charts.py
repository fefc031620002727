"""Curves and bars in ASCII, for any terminal and log; marks, not colours, tell curves apart."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from pdfingest.measure.flatness import THRESHOLD_BYTES, Point, changes, judge
from pdfingest.report.figures import histogram
from pdfingest.text import mib

_ROWS, _SMALL_ROWS = 12, 6
_MARKS = (("o", "blue"), ("+", "red"))
"""Mark and colour of the first and of the second curve."""
_LIMIT = "-"
_LABELS = 4
"""Most rows with a label; more would hide the curve."""
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}
_STEPS = (1.0, 2.0, 5.0, 10.0)
"""What a row of a chart may stand for, times a power of ten."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of a chart."""

    name: str
    points: Sequence[Point]
    mark: str
    color: str


def change_chart(legs: Mapping[str, Sequence[Point]], width: int) -> Iterator[Text]:
    """Draw the change of memory behind the warm-up, which is judged, and the limit of the verdict.

    Args:
        legs: samples of at most two ways of reading the files, by name.
        width: number of columns to fill.
    """
    drawn = [(name, judge(samples), changes(samples)) for name, samples in legs.items() if samples]
    if not drawn:
        return
    first = min(points[0][0] for *_, points in drawn)
    last = max(points[-1][0] for *_, points in drawn)
    limit = [(files, THRESHOLD_BYTES * (files - first)) for files in _steps(first, last, width)]
    series = [
        Curve(f"{name}: {trend.grown_bytes / 1024:+,.0f} KiB", points, mark, color)
        for (name, trend, points), (mark, color) in zip(drawn, _MARKS, strict=False)
    ]
    said = f"limit: {THRESHOLD_BYTES} bytes a file, {limit[-1][1] / 1024:+,.0f} KiB"
    # What is drawn later hides what is below it: the first curve is the one that is judged.
    yield from curves([Curve(said, limit, _LIMIT, "yellow"), *reversed(series)], width, _ROWS)


def memory_chart(legs: Mapping[str, Sequence[Point]], width: int) -> Iterator[Text]:
    """Draw all of the memory that outlives a file, small, on an axis that begins at 0.

    Args:
        legs: samples of at most two ways of reading the files, by name.
        width: number of columns to fill.
    """
    series = [
        Curve(f"{name}: at most {mib(max(held for _, held in samples))}", samples, mark, color)
        for (name, samples), (mark, color) in zip(legs.items(), _MARKS, strict=False)
        if samples
    ]
    yield from curves([*reversed(series)], width, _SMALL_ROWS, "MiB")


def _steps(first: int, last: int, width: int) -> Iterator[int]:
    """Yield numbers of files, one for each column."""
    yield from sorted({first + (last - first) * column // width for column in range(width + 1)})


def curves(series: Sequence[Curve], width: int, rows: int, unit: str = "KiB") -> Iterator[Text]:
    """Draw curves over the files done, the later ones over those before, with a legend below.

    Args:
        series: with at least one point each; values in bytes, of which some may be negative.
        width: number of columns to fill.
        rows: most rows to take, without axis and legend.
        unit: of the vertical axis, `KiB` or `MiB`.
    """
    if not series:
        return
    values = [0, *(value for each in series for _, value in each.points)]
    step = _step(min(values), max(values), rows, _UNITS[unit])
    lowest, highest = round(min(values) / step), round(max(values) / step)
    first = min(each.points[0][0] for each in series)
    last = max(first + 1, *(each.points[-1][0] for each in series))
    labels = {row: f"{row * step / _UNITS[unit]:,.0f} {unit}" for row in range(lowest, highest + 1)}
    indent = max(map(len, labels.values()))
    columns = max(width - indent - 3, 10)
    grid = {row: [Text(" ")] * columns for row in labels}
    for curve in series:
        mark = Text(curve.mark, curve.color)
        for column, value in _by_column(curve.points, first, last, columns):
            grid[round(value / step)][column] = mark
    every = math.ceil(len(labels) / _LABELS)
    for row in range(highest, lowest - 1, -1):
        label = "" if row % every else labels[row]
        yield Text.assemble(f"{label:>{indent}} |", *grid[row])
    end = f"{last:,} files"
    yield Text(f"{'':{indent}} +{'-' * columns}")
    yield Text(f"{'':{indent}}  {first:<{max(columns - len(end), 1)},}{end}")
    yield from _legend(series, indent, width)


def _legend(series: Sequence[Curve], indent: int, width: int) -> Iterator[Text]:
    """Lay out mark and name of each curve, the topmost first, below the axis if there is room."""
    blank = " " * max(min(indent, width - max(len(each.name) for each in series) - 4), 0)
    for curve in reversed(series):
        first_line, *others = textwrap.wrap(curve.name, max(width - len(blank) - 4, 10))
        yield Text.assemble(f"{blank}  ", (curve.mark, curve.color), f" {first_line}")
        yield from (Text(f"{blank}    {line}") for line in others)


def _step(low: int, high: int, rows: int, unit_bytes: int) -> float:
    """Return the bytes of a row: a round number of units, so that all values fit into the rows."""
    # Both ends are rounded to whole rows, of which each may add half a one.
    room = rows - 2 if low else rows - 1
    least = max((high - low) / room / unit_bytes, 1.0)
    power: float = 10.0 ** math.floor(math.log10(least))
    return unit_bytes * next(each for each in _STEPS if each * power >= least) * power


def _by_column(
    points: Sequence[Point], first: int, last: int, columns: int
) -> Iterator[tuple[int, int]]:
    """Yield each column from the first point to the last, and its highest value.

    A column without a point has the value of the one before it.
    """
    highest: dict[int, int] = {}
    for files, value in points:
        column = min((files - first) * columns // (last - first), columns - 1)
        highest[column] = max(highest.get(column, value), value)
    ordered = sorted(highest)
    for column, following in pairwise([*ordered, ordered[-1] + 1]):
        for each in range(column, following):
            yield each, highest[column]


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
